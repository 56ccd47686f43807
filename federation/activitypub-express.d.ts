// The part of activitypub-express that federation/apex.ts uses. The package has no types of its own.
declare module 'activitypub-express/pub/index.js' {
  type Streams = Record<string, unknown>;

  /** Functions that expect to find each other, and what the package's entry adds, on `this`. */
  export interface ActivityStreams {
    consts: { ASContext: string[] };
    context: unknown[];
    utils: {
      activityIdToIRI(id: string): string;
      idToActivityCollections(id: string): Record<string, string>;
    };
    idToIRIFactory(baseUrl: string, route: string, param: string): (id: string) => string;
    nameToActorStreamsFactory(
      baseUrl: string,
      routes: Record<string, string>,
      actorParam: string,
    ): (name: string) => Record<string, string>;
    fromJSONLD(document: object): Promise<Streams>;
    toJSONLD(object: object): Promise<Streams>;
    buildActivity(type: string, actorId: string, to: string[], etc: object): Promise<Streams>;
    [name: string]: unknown;
  }

  const activityStreams: ActivityStreams;
  // biome-ignore lint/style/noDefaultExport: it is the package's own form
  export default activityStreams;
}
