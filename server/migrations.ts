// TABLE: numbered steps that bring data of older versions to the shape that this one expects. A step is idempotent, never
// changed after a release, and never removed. Empty until the first release after this one changes a stored shape.
import type { Migration } from './store/migrations.js';

export const migrations: Migration[] = [];
