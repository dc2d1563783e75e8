// Select menus of every source: fixed options, the app's own answers, people, conversations, channels.
import { hooks, perform } from "./acting.js";
import { Combobox, matching } from "./combobox.js";

/** A select or multi-select as a combobox that keeps its choice in the form and sends it when it is live. */
export function selectElement(element, block, ctx, input) {
  const multi = element.type.startsWith("multi_");
  const source = element.type.replace("multi_", "").replace("_select", "");
  const key = [block.block_id, element.action_id];
  const initial = ctx.form.start(...key, initialOptions(element, source, ctx));
  const live = !input || input.live;
  let settled = [...initial];
  const send = async (options) => {
    const value = multi ? options.map((one) => one.value) : options[0]?.value;
    const went = await perform(ctx, element, combo.root, () => ctx.choose(element, block, value));
    if (went) {
      settled = [...options];
    } else {
      ctx.form.set(...key, settled);
      combo.chosen = [...settled];
      combo.showChosen();
    }
  };
  const combo = new Combobox({
    label: input?.label ?? block.label?.text ?? element.placeholder?.text ?? "Choose",
    placeholder: initial.length && multi ? "" : (element.placeholder?.text ?? "Choose an option"),
    multi,
    max: element.max_selected_items ?? Infinity,
    initial,
    minQuery: source === "external" ? (element.min_query_length ?? 3) : 0,
    names: ctx.names,
    attrs: { ...hooks(element, block, "select"), "aria-required": input && !block.optional ? "true" : null },
    load: loader(element, block, source, ctx),
    onChange: (options) => ctx.form.set(...key, [...options]),
    onDone: (options) => {
      // An option from the app is sent at once: later, the workspace may no longer know that it was offered.
      if (live || source === "external") send(options);
    },
  });
  return combo.root;
}

function loader(element, block, source, ctx) {
  if (source === "external") return (query) => ctx.suggest(element, block, query);
  const options = { users: peopleOptions, conversations: conversationOptions, channels: channelOptions }[source];
  return (query) => matching(options ? { options: options(ctx) } : element, query);
}

const option = (value, text) => ({ value, text: { type: "plain_text", text } });

function peopleOptions(ctx) {
  return ctx.people.map((person) => option(person.id, person.shown));
}

function channelOptions(ctx) {
  return ctx.channels.filter((channel) => !channel.id.startsWith("D")).map((channel) => option(channel.id, `#${channel.name}`));
}

function conversationOptions(ctx) {
  return ctx.channels.map((channel) => option(channel.id, channel.id.startsWith("D") ? channel.name : `#${channel.name}`));
}

function initialOptions(element, source, ctx) {
  if (source === "static" || source === "external") return [element.initial_option ?? element.initial_options ?? []].flat();
  const many = { users: "initial_users", conversations: "initial_conversations", channels: "initial_channels" }[source];
  const ids = [element[many.slice(0, -1)] ?? element[many] ?? []].flat();
  return ids.map((id) => option(id, source === "users" ? (ctx.names.person(id) ?? id) : `#${ctx.names.channel(id) ?? id}`));
}
