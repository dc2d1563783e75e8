// The page's HTTP calls to the workspace. Every call throws ApiError on a bad answer or none.

export class ApiError extends Error {
  constructor(text) {
    super(text[0].toUpperCase() + text.slice(1));
  }
}

async function reply(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    // An answer that isn't JSON is reported below by its status.
  }
  if (!response.ok) {
    const detail = [body?.detail ?? []].flat().join("; ");
    throw new ApiError(detail || body?.error || `the workspace answered with status ${response.status}`);
  }
  return body ?? {};
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError("the workspace doesn't answer. Is it still running?");
  }
  return reply(response);
}

function get(path, query = {}) {
  const words = new URLSearchParams(query).toString();
  return request(words ? `${path}?${words}` : path, { headers: { Accept: "application/json" } });
}

function post(path, body) {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
}

export const state = (user) => get("/playground/state", { user });
export const messages = async (user, channel) => (await get("/playground/messages", { user, channel })).messages ?? [];
export const modal = async (user) => (await get("/playground/modal", { user })).view ?? null;
export const home = async (user) => (await get("/playground/home", { user })).view ?? null;
export const act = (user, name, args = {}) => post("/playground/act", { user, act: name, ...args });
export const planes = async () => {
  const body = await get("/playground/planes");
  return Array.isArray(body) ? body : (body.planes ?? []);
};
export const processes = async () => (await get("/playground/processes")).processes ?? [];
export const processAction = (name, action) => post(`/playground/processes/${encodeURIComponent(name)}/${action}`, {});
export const step = (id) => get(`/playground/steps/${encodeURIComponent(id)}`);
export const fault = (plane, body) => post(`/playground/planes/${encodeURIComponent(plane)}/faults`, body);
export const planeLog = async (plane) => {
  const body = await get(`/playground/planes/${encodeURIComponent(plane)}/log`);
  return Array.isArray(body) ? body : (body.log ?? body.entries ?? body.requests ?? []);
};
export const fileAddress = (id, user) =>
  `/playground/files/${encodeURIComponent(id)}?${new URLSearchParams({ user })}`;

/** Listens for changes until the returned function is called. `onLine(up)` is called when the connection comes up or goes down. */
export function listen(user, onChange, onLine) {
  const source = new EventSource(`/playground/events?${new URLSearchParams({ user })}`);
  source.onopen = () => onLine(true);
  source.onerror = () => onLine(false);
  source.onmessage = (event) => {
    let change;
    try {
      change = JSON.parse(event.data);
    } catch {
      return;
    }
    if (change?.type === "changed") onChange(change);
  };
  return () => source.close();
}

/** A File as the act endpoint takes it: its name and its bytes in base64. */
export async function upload(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32_768) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  }
  return { name: file.name, content_base64: btoa(binary) };
}
