// What an administrator sets for the whole instance: its name, its words, its contact. One document, read by every page.
import { z } from 'zod';
import type { Language } from '../context.js';
import type { Words } from '../i18n.js';
import { type LocalText, localLine, localParagraph, optionalEmail, requiredLine } from '../shapes.js';
import { writeCount } from '../store/guarded.js';
import type { Doc, Store } from '../store/store.js';

export interface InstanceSettings {
  name: string;
  tagline: LocalText;
  description: LocalText;
  contactEmail: string | null;
  timeZone: string;
  /** Words that a network may rename: singular and plural in both languages. */
  words: { hoster: LocalText; hosters: LocalText; round: LocalText; rounds: LocalText };
}

export const settingsShape = z.object({
  name: requiredLine(80),
  tagline: localLine(160),
  description: localParagraph(5000),
  contactEmail: optionalEmail,
  timeZone: z
    .string()
    .refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC', 'shape.timeZone'),
  words: z.object({ hoster: localLine(40), hosters: localLine(40), round: localLine(40), rounds: localLine(40) }),
});

export const defaultSettings: InstanceSettings = {
  name: 'Chatière',
  tagline: { fr: '', en: '' },
  description: { fr: '', en: '' },
  contactEmail: null,
  timeZone: 'Europe/Paris',
  words: {
    hoster: { fr: 'hébergeur', en: 'hoster' },
    hosters: { fr: 'hébergeurs', en: 'hosters' },
    round: { fr: 'session d’accueil', en: 'intake round' },
    rounds: { fr: 'sessions d’accueil', en: 'intake rounds' },
  },
};

type SettingsDoc = Doc & { value: Partial<InstanceSettings> };

interface Kept {
  value: InstanceSettings;
  /** The count of writes before it was read. */
  writes: number;
  at: number;
}

const kept = new WeakMap<Store, Kept>();
/** How old they may be when another process changed them, in milliseconds. */
const maxAgeMs = 1000;

/** Every page needs them: what this process has read is good until it writes anything, a second at most. */
export async function readSettings(store: Store): Promise<InstanceSettings> {
  const [writes, at] = [writeCount(), performance.now()];
  const known = kept.get(store);
  if (known?.writes === writes && at - known.at < maxAgeMs) return known.value;
  const value = await fetchSettings(store);
  kept.set(store, { value, writes, at });
  return value;
}

async function fetchSettings(store: Store): Promise<InstanceSettings> {
  const doc = await store.collection<SettingsDoc>('settings').findOne({ _id: 'instance' });
  return { ...defaultSettings, ...doc?.value };
}

export async function writeSettings(store: Store, value: InstanceSettings): Promise<void> {
  await store.collection<SettingsDoc>('settings').updateOne({ _id: 'instance' }, { $set: { value } }, { upsert: true });
}

/** The renamed words as message parameters: {hoster}, {hosters}, {round}, {rounds}, {instance}. */
export function wordsIn(settings: InstanceSettings, language: Language): Words {
  const { words } = settings;
  return {
    instance: settings.name,
    hoster: words.hoster[language] || defaultSettings.words.hoster[language],
    hosters: words.hosters[language] || defaultSettings.words.hosters[language],
    round: words.round[language] || defaultSettings.words.round[language],
    rounds: words.rounds[language] || defaultSettings.words.rounds[language],
  };
}
