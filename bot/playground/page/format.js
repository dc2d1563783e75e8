// Formats dates, sizes and initials for people.

const DAY = 86_400_000;

function sameDay(a, b) {
  return a.toDateString() === b.toDateString();
}

export function clockTime(date, withSeconds = false) {
  return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit", ...(withSeconds ? { second: "2-digit" } : {}) });
}

/** Slack's `ts` ("seconds.serial") as a Date. */
export function tsDate(ts) {
  return new Date(Number.parseFloat(ts) * 1000);
}

/** "Today", "Yesterday" or the full date. */
export function dayName(date, now = new Date()) {
  if (sameDay(date, now)) return "Today";
  if (sameDay(date, new Date(now.getTime() - DAY))) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function pretty(date, otherwise) {
  const now = Date.now();
  for (const [word, offset] of [["today", 0], ["yesterday", -DAY], ["tomorrow", DAY]]) {
    if (sameDay(date, new Date(now + offset))) return word;
  }
  return otherwise;
}

function ago(date) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return new Intl.RelativeTimeFormat().format(Math.trunc(seconds / size), unit);
  }
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(seconds, "second");
}

/** Fills the tokens of a `<!date^seconds^format|fallback>`; null if the seconds aren't a valid time. */
export function slackDate(seconds, format) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const day = (options) => date.toLocaleDateString([], options);
  const short = day({ day: "numeric", month: "short", year: "numeric" });
  const long = day({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const plainDay = day({ day: "numeric", month: "long", year: "numeric" });
  const tokens = {
    date_num: day({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date_slash: day({ year: "numeric", month: "2-digit", day: "2-digit" }),
    date: plainDay,
    date_short: short,
    date_long: long,
    date_pretty: pretty(date, plainDay),
    date_short_pretty: pretty(date, short),
    date_long_pretty: pretty(date, long),
    time: clockTime(date),
    time_secs: clockTime(date, true),
    ago: ago(date),
  };
  return format.replace(/\{(\w+)\}/g, (whole, token) => tokens[token] ?? whole);
}

export function fileSize(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function initials(name) {
  const words = String(name || "?").trim().split(/\s+/);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/** One of `count` colours, always the same for the same id. */
export function colourOf(id, count = 8) {
  let sum = 0;
  for (const character of String(id)) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % count;
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** "reply" or "replies", an irregular plural. */
export function replies(count) {
  return count === 1 ? "1 reply" : `${count} replies`;
}
