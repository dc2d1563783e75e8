// What a person has filled in: values of a view's or a message's elements, kept across redraws.

const TEXTUAL = new Set(["plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"]);

export class Form {
  constructor() {
    this.values = new Map();
    this.known = new Map();
  }

  static key(block, action) {
    return JSON.stringify([block ?? "", action ?? ""]);
  }

  /** The value kept for an element: its initial value the first time, and when the workspace has got another one since. */
  start(block, action, initial) {
    const key = Form.key(block, action);
    if (!this.values.has(key) || this.known.get(key) !== JSON.stringify(initial)) {
      this.values.set(key, initial);
      this.known.set(key, JSON.stringify(initial));
    }
    return this.values.get(key);
  }

  get(block, action) {
    return this.values.get(Form.key(block, action));
  }

  set(block, action, value) {
    this.values.set(Form.key(block, action), value);
  }

  /** The input blocks whose value the workspace doesn't have yet. */
  changed(blocks) {
    return inputsOf(blocks).filter((block) => {
      const key = Form.key(block.block_id, block.element?.action_id);
      return this.values.has(key) && this.known.get(key) !== JSON.stringify(this.values.get(key));
    });
  }

  /** Marks the values of these elements' blocks as sent to the workspace. */
  told(block, element) {
    const key = Form.key(block.block_id, element?.action_id);
    this.known.set(key, JSON.stringify(this.values.get(key)));
  }

  /** The values that the workspace doesn't have yet, by block id, as the act endpoint takes them. */
  filled(blocks) {
    return Object.fromEntries(this.changed(blocks).map((block) => [block.block_id ?? block.label?.text, this.plain(block)]));
  }

  plain(block) {
    const element = block.element ?? {};
    const value = this.get(block.block_id, element.action_id) ?? null;
    if (TEXTUAL.has(element.type)) return value === "" ? null : value;
    if (!/_select$/.test(element.type ?? "")) return value;
    const values = (value ?? []).map((option) => option.value);
    return element.type.startsWith("multi_") ? values : (values[0] ?? null);
  }

  /** The errors that Slack's own client shows before it sends: {block id: text}. */
  problems(blocks) {
    const out = {};
    for (const block of inputsOf(blocks)) {
      const problem = objection(block, this.plain(block));
      if (problem) out[block.block_id ?? block.label?.text] = problem;
    }
    return out;
  }
}

function inputsOf(blocks) {
  return (blocks ?? []).filter((block) => block.type === "input");
}

function objection(block, value) {
  const element = block.element ?? {};
  if (value === null || (Array.isArray(value) && !value.length)) {
    return block.optional ? null : "Please complete this required field.";
  }
  if (element.min_length && value.length < element.min_length) return `Type at least ${element.min_length} characters.`;
  if (element.type === "number_input") return numberObjection(element, value);
  if (element.type === "email_text_input" && !/^\S+@\S+\.\S+$/.test(value)) return "Enter an email address.";
  if (element.type === "url_text_input" && !/^https?:\/\/\S+$/i.test(value)) return "Enter an address that starts with http:// or https://.";
  return null;
}

function numberObjection(element, value) {
  const pattern = element.is_decimal_allowed ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/;
  if (!pattern.test(value)) return element.is_decimal_allowed ? "Enter a number." : "Enter a whole number.";
  if (element.min_value !== undefined && Number(value) < Number(element.min_value)) return `Enter ${element.min_value} or more.`;
  if (element.max_value !== undefined && Number(value) > Number(element.max_value)) return `Enter ${element.max_value} or less.`;
  return null;
}
