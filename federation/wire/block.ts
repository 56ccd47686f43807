// Block, as it is said and as it is taken back: the undo embeds the whole of it.
import type { Block } from '../../server/partners/schema.js';
import type { Json } from './namespace.js';

export function toBlock(block: Pick<Block, 'activityIri' | 'blocker' | 'target'>): Json {
  return { id: block.activityIri, type: 'Block', actor: block.blocker, object: block.target };
}
