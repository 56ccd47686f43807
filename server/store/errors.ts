// Why a store cannot be opened or moved. Each message is one sentence that tells an administrator what to do.

/** The store cannot be opened, or was closed. */
export class StoreOpenError extends Error {
  override readonly name: string = 'StoreOpenError';
}

/** Another process holds the data folder. */
export class StoreInUseError extends StoreOpenError {
  override readonly name = 'StoreInUseError';
  constructor(folder: string, options?: ErrorOptions) {
    super(
      `another Chatière is running on the data folder ${folder}: stop it first, or give this one another DATA_DIR`,
      options,
    );
  }
}

/** The data was written by a newer version of the program. */
export class SchemaTooNewError extends Error {
  override readonly name = 'SchemaTooNewError';
  constructor(found: number, known: number) {
    super(
      `the data was written by a newer version of Chatière (step ${found}, this one knows ${known}): install that version, or restore a backup made before it`,
    );
  }
}

/** A backup or archive cannot be read, or the place for it is not empty. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
