// patchbay.mjs: the same SDK for `import { patchbay } from "…/patchbay.mjs"`. It comes from the script beside it.
import "./patchbay.js";

globalThis.patchbay.configure({ baseUrl: new URL("../..", import.meta.url).href });

export const patchbay = globalThis.patchbay;
export const SDK_EVENT = patchbay.SDK_EVENT;
export default patchbay;
