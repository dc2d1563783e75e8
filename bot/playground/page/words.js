// What the page says about the workspace's error codes, in sentences.

const SENTENCES = {
  operation_timeout: (app) => `${app} did not answer within 3 seconds (operation_timeout).`,
  dispatch_failed: (app) => `${app} could not be reached (dispatch_failed). Is the bot running?`,
  dispatch_unknown_error: (app) => `${app} answered with something that Slack does not understand.`,
};

/** An error code as a sentence, an unknown one as it came; `detail` says why Slack refused what the app answered. */
export function explain(code, app, detail = []) {
  const sentence = SENTENCES[code]?.(app) ?? (/^[a-z0-9_]+$/.test(code) ? `That did not work: ${code}` : code);
  return detail?.length ? `${sentence} (${detail.join("; ")})` : sentence;
}
