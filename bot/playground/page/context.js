// The names and values that the blocks of one message or view need, and how their elements send.
import * as api from "./api.js";
import { put, toast } from "./dom.js";
import { icon } from "./icons.js";
import { explain } from "./words.js";

/** `where` is the place of the blocks: {channel, ts} or {view_id}. */
export function elementContext({ app, form, where, blocks }) {
  const target = (block, element) => ({
    ...where, action_id: element.action_id, ...(block?.block_id ? { block_id: block.block_id } : {}),
  });

  /** Sends values typed elsewhere in these blocks, so that the app gets them with the act that follows. */
  const tell = async (except) => {
    for (const block of form.changed(blocks)) {
      if (block.element === except || block.element.type === "file_input" || block.dispatch_action) continue;
      form.told(block, block.element);
      await api.act(app.user, "choose", { ...target(block, block.element), value: form.plain(block) });
    }
  };

  return {
    form,
    get names() { return app.names(); },
    get people() { return app.state.people; },
    get channels() { return app.channels(); },
    fileAddress: (id) => app.fileAddress(id),
    press: async (element, block, value) => {
      await tell(element);
      const seen = where.ts ? { seen: { blocks } } : {}; // Slack takes a press on an older state of a message
      return app.send("press", { ...target(block, element), ...seen, ...(value === undefined ? {} : { value }) });
    },
    choose: async (element, block, value) => {
      await tell(element);
      form.told(block, element);
      return app.send("choose", { ...target(block, element), value: value === "" ? null : (value ?? null) });
    },
    suggest: async (element, block, query) => {
      const answer = await api.act(app.user, "suggest", { ...target(block, element), query });
      return answer.groups ?? [];
    },
    report: (receipt, node) => {
      const place = node.closest(".block")?.querySelector("[data-note]");
      const text = receipt.error && explain(receipt.error, app.appName(), receipt.detail);
      if (text && !node.isConnected) toast(text, "error"); // the element is gone
      else if (place) put(place, text && [icon("warn"), text]);
    },
  };
}
