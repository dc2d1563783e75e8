// The workspace's state as the page uses it: display names, roles, and mentions.

const DEFAULT_SHORTCUTS = [
  { callback_id: "launcher", name: "Operate a control plane", kind: "global" },
  { callback_id: "work_on_message", name: "Run from this message", kind: "message" },
];

/** Takes GET /playground/state; throws if it has no people. */
export function normalState(raw, wanted) {
  const everybody = (raw.people ?? []).map(person);
  const app = appOf(raw.app ?? {});
  const people = everybody.filter((one) => !one.bot && !one.gone);
  const me = people.find((one) => one.id === (raw.me?.id ?? raw.me ?? wanted)) ?? people.find((one) => one.id === wanted) ?? people[0];
  if (!me) throw new Error("this workspace has no people");
  const channels = withDm(raw.channels ?? [], me.id, app).map((one) => (one.id.startsWith("D") ? { ...one, name: app.name } : one));
  const groups = raw.usergroups ?? raw.groups ?? [];
  const byId = new Map(everybody.map((one) => [one.id, one.shown]));
  if (app.bot_user_id && !byId.has(app.bot_user_id)) byId.set(app.bot_user_id, app.name);
  const rooms = new Map([...(raw.all_channels ?? []), ...channels].map((one) => [one.id, one.name]));
  const handles = new Map(groups.map((one) => [one.id, one.handle ?? one.name]));
  const bots = app.bot_user_id ? [{ id: app.bot_user_id, handle: app.name, shown: app.name }] : [];
  return {
    team: raw.team ?? { name: "Workspace" }, me, people, channels, app,
    examples: raw.examples ?? [],
    mentionable: [...bots, ...people],
    names: { me: me.id, person: (id) => byId.get(id) ?? null, channel: (id) => rooms.get(id) ?? null, group: (id) => handles.get(id) ?? null },
  };
}

function person(raw) {
  const shown = raw.real_name || raw.display_name || raw.name || raw.id;
  return { id: raw.id, handle: raw.name || shown, shown, role: roleOf(raw), bot: Boolean(raw.is_bot), gone: Boolean(raw.deleted) };
}

function roleOf(raw) {
  if (raw.title && raw.is_external) return `${raw.title} (external)`;
  if (raw.title && !raw.is_restricted) return raw.title;
  if (raw.is_restricted || raw.is_ultra_restricted) return raw.title ? `${raw.title} (guest)` : "Guest";
  if (raw.is_external) return "From another organization";
  if (raw.is_admin) return "Administrator";
  return raw.title ?? raw.role ?? "Member";
}

function appOf(raw) {
  const commands = (raw.commands ?? [raw.command ?? "/ops"]).map((one) => (typeof one === "string" ? { command: one } : one));
  const shortcuts = (raw.shortcuts ?? DEFAULT_SHORTCUTS).map((one) => ({ ...one, kind: one.kind ?? one.type }));
  return { ...raw, name: raw.name ?? "app", connected: Number(raw.connected ?? 0), commands, shortcuts };
}

/** The person's channels with the app's DM, which Slack lists even before its first message. */
function withDm(channels, user, app) {
  if (channels.some((one) => one.id.startsWith("D"))) return channels;
  return [...channels, { id: `D${user.slice(1)}`, name: app.name }];
}
