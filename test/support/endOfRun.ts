// What tests open stays open until the end: of the file where files are run side by side (.mocharc.json names this module,
// and mocha takes its hooks), of the run where mocha was started without that.

const closers: (() => unknown)[] = [];

/** Calls that at the end; what was opened last is closed first. */
export function atEnd(close: () => unknown): void {
  closers.push(close);
}

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** @public Read by mocha. */
export const mochaHooks = { afterAll: closeAll };

// Mocha loads what its configuration names before it makes its words known.
if (typeof after === 'function') after(closeAll);
