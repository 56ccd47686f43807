// Reads of uploaded pictures, and the collection's indexes.
import type { CollectionIndexes, Store } from '../store/store.js';
import type { Upload } from './schema.js';

export const uploadIndexes: CollectionIndexes = { uploads: [{ keys: { collectiveId: 1 } }] };

export function uploadsOf(store: Store) {
  return store.collection<Upload>('uploads');
}

/** With its bytes. */
export async function findUpload(store: Store, id: string): Promise<Upload | null> {
  return uploadsOf(store).findOne({ _id: id });
}
