// The part of activitypub-express that federation/apex.ts uses. The package has no types of its own.
declare module 'activitypub-express' {
  type Streams = Record<string, unknown>;

  interface Utils {
    usernameToIRI(name: string): string;
    objectIdToIRI(id: string): string;
    activityIdToIRI(id: string): string;
    nameToActorStreams(name: string): Record<string, string>;
    idToActivityCollections(id: string): Record<string, string>;
  }

  interface Apex {
    (req: unknown, res: unknown, next: () => void): void;
    context: unknown[];
    utils: Utils;
    fromJSONLD(document: object): Promise<Streams>;
    toJSONLD(object: object): Promise<Streams>;
    buildActivity(type: string, actorId: string, to: string[], etc: object): Promise<Streams>;
    [name: string]: unknown;
  }

  // biome-ignore lint/style/noDefaultExport: it is the package's own form
  export default function createApex(settings: object): Apex;
}
