// Shared by all interactive elements: how tests find them, and how they send an act.
import { askConfirm } from "./dialogs.js";

/** Attributes by which a test or a tool finds an element. */
export function hooks(element, block, testid) {
  return { "data-testid": testid, "data-action-id": element.action_id ?? "", "data-block-id": block?.block_id ?? "" };
}

/**
 * Asks the element's confirm question, then sends. `node` shows that the act is in progress. Resolves to false if the
 * person cancels.
 */
export async function perform(ctx, element, node, send) {
  if (element.confirm && !(await askConfirm(element.confirm, ctx.names))) return false;
  node.setAttribute("aria-busy", "true");
  try {
    ctx.report(await send(), node);
  } catch (problem) {
    ctx.report({ error: problem.message }, node);
  } finally {
    node.removeAttribute("aria-busy");
  }
  return true;
}
