// The workspace's error codes as sentences.

const SENTENCES = {
  operation_timeout: (app) => `${app} didn't answer within 3 seconds (operation_timeout).`,
  dispatch_failed: (app) => `${app} can't be reached (dispatch_failed). Is the bot running?`,
  dispatch_unknown_error: (app) => `${app} answered with something that Slack doesn't understand.`,
};

/** An error code as a sentence, an unknown one unchanged; `detail` says why Slack refused the app's answer. */
export function explain(code, app, detail = []) {
  const sentence = SENTENCES[code]?.(app) ?? (/^[a-z0-9_]+$/.test(code) ? `That did not work: ${code}` : code);
  return detail?.length ? `${sentence} (${detail.join("; ")})` : sentence;
}
