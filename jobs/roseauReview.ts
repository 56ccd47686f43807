// The yearly survey of the fictional network ROSEAU, with what its members answer: for the demo and for tests, which know what
// must come out.
import type { Choice, Section, Texts } from '../server/surveys/schema.js';

const both = (fr: string, en: string): Texts => ({ fr, en });
const choices = (...labels: [id: string, fr: string, en: string][]): Choice[] =>
  labels.map(([id, fr, en]) => ({ id, label: both(fr, en) }));
const asked = { help: {}, required: false, showIf: null, criterion: '' };

export const reviewTitle = both('Revue 2026', 'Review 2026');
export const reviewIntro = both(
  'Dix questions, dix minutes. Une réponse par structure : chaque personne de la structure peut la compléter.',
  'Ten questions, ten minutes. One answer for each organisation: anybody there may complete it.',
);

export const reviewSections: Section[] = [
  {
    id: 'work',
    title: both('Le travail commun', 'The common work'),
    intro: {},
    showIf: null,
    questions: [
      {
        ...asked,
        id: 'hours',
        kind: 'number',
        required: true,
        label: both(
          'Combien d’heures par mois pouvez-vous donner à la coordination ?',
          'How many hours a month can you give to coordination?',
        ),
        min: 0,
        max: 40,
        decimals: 0,
        unit: both('heures', 'hours'),
      },
      {
        ...asked,
        id: 'tasks',
        kind: 'multiple',
        label: both('Quelles tâches acceptez-vous de prendre ?', 'Which tasks would you take?'),
        choices: choices(
          ['moderation', 'Modération', 'Moderation'],
          ['minutes', 'Comptes rendus', 'Minutes'],
          ['welcome', 'Accueil', 'Welcome'],
          ['technical', 'Technique', 'Technical work'],
          ['treasury', 'Trésorerie', 'Treasury'],
        ),
        other: true,
        min: null,
        max: null,
      },
      {
        ...asked,
        id: 'load',
        kind: 'scale',
        required: true,
        label: both(
          'À quel point la charge actuelle vous semble-t-elle tenable ?',
          'How sustainable is the current load?',
        ),
        from: 1,
        to: 5,
        fromLabel: both('pas tenable', 'not at all'),
        toLabel: both('très tenable', 'very'),
      },
      {
        ...asked,
        id: 'stop',
        kind: 'longText',
        label: both('Ce qui devrait s’arrêter', 'What should stop'),
        help: both('Une réunion, une liste, une tâche…', 'A meeting, a list, a task…'),
      },
    ],
  },
  {
    id: 'rules',
    title: both('Nos règles', 'Our rules'),
    intro: {},
    showIf: null,
    questions: [
      {
        ...asked,
        id: 'legal',
        kind: 'single',
        label: both('Faut-il une structure juridique ?', 'Do we need a legal person?'),
        choices: choices(
          ['yes', 'Oui', 'Yes'],
          ['no', 'Non', 'No'],
          ['later', 'Plus tard', 'Later'],
          ['none', 'Sans avis', 'No opinion'],
        ),
        other: false,
        min: null,
        max: null,
      },
      {
        ...asked,
        id: 'modes',
        kind: 'ranking',
        label: both('Classez les modes de décision', 'Rank the ways to decide'),
        choices: choices(
          ['consent', 'Consentement', 'Consent'],
          ['majority', 'Majorité', 'Majority'],
          ['judgement', 'Jugement majoritaire', 'Majority judgement'],
        ),
      },
    ],
  },
  {
    id: 'services',
    title: both('Vos services', 'Your services'),
    intro: {},
    showIf: null,
    questions: [
      {
        ...asked,
        id: 'restore',
        kind: 'date',
        label: both('Date de votre dernier essai de restauration', 'Date of your last restore test'),
        criterion: 'INF-3',
      },
      {
        ...asked,
        id: 'room',
        kind: 'grid',
        rowsFrom: 'services',
        rows: [],
        label: both(
          'Vos services peuvent-ils accueillir de nouvelles personnes ?',
          'Can your services take new people?',
        ),
        choices: choices(['yes', 'Oui', 'Yes'], ['few', 'Quelques-unes', 'A few'], ['no', 'Non', 'No']),
      },
    ],
  },
  {
    id: 'meeting',
    title: both('La réunion mensuelle', 'The monthly meeting'),
    intro: {},
    showIf: null,
    questions: [
      {
        ...asked,
        id: 'slot',
        kind: 'availability',
        label: both('Créneau préféré pour la réunion mensuelle', 'Preferred slot for the monthly meeting'),
        slots: [
          { id: 'thu', startsAt: new Date('2026-12-10T18:00:00Z'), endsAt: new Date('2026-12-10T19:30:00Z') },
          { id: 'fri', startsAt: new Date('2026-12-11T11:00:00Z'), endsAt: new Date('2026-12-11T12:30:00Z') },
          { id: 'sat', startsAt: new Date('2026-12-12T09:00:00Z'), endsAt: new Date('2026-12-12T10:30:00Z') },
        ],
      },
      {
        ...asked,
        id: 'publish',
        kind: 'single',
        required: true,
        label: both('Pouvons-nous publier votre réponse ?', 'May we publish your answer?'),
        choices: choices(
          ['yes', 'Oui', 'Yes'],
          ['anonymous', 'Sans notre nom', 'Without our name'],
          ['no', 'Non', 'No'],
        ),
        other: false,
        min: null,
        max: null,
      },
    ],
  },
];

/** Who answers what, by handle, as a form sends it. Nuage des Causses, on a pause, does not answer. */
export const reviewAnswers: Record<string, Record<string, unknown>> = {
  ecluse: {
    hours: '4',
    tasks: ['moderation', 'technical'],
    load: '3',
    stop: 'Les réunions sans ordre du jour.',
    legal: 'yes',
    modes: { consent: '1', majority: '3', judgement: '2' },
    restore: '2026-04-18',
    room: { pads: { label: 'Pads de l’Écluse', choice: 'yes' }, cloud: { label: 'Nuage de l’Écluse', choice: 'no' } },
    slot: { thu: 'yes', fri: 'no', sat: 'maybe' },
    publish: 'yes',
  },
  tuilelierre: {
    hours: '10',
    tasks: ['minutes', 'treasury'],
    load: '4',
    legal: 'yes',
    modes: { consent: '2', majority: '1', judgement: '3' },
    restore: '2026-05-02',
    slot: { thu: 'yes', fri: 'yes', sat: 'no' },
    publish: 'yes',
  },
  octetsmarais: {
    hours: '3',
    tasks: { is: ['welcome', 'other'], other: 'Traductions' },
    load: '3',
    stop: 'Deux listes de diffusion pour la même chose.',
    legal: 'later',
    modes: { consent: '1', majority: '2', judgement: '3' },
    slot: { thu: 'yes', fri: 'no', sat: 'no' },
    publish: 'anonymous',
  },
  serrecommune: {
    hours: '6',
    tasks: ['welcome', 'moderation'],
    load: '2',
    legal: 'no',
    modes: { consent: '1', majority: '3', judgement: '2' },
    restore: '2025-11-30',
    slot: { thu: 'maybe', fri: 'yes', sat: 'no' },
    publish: 'yes',
  },
  fournil: {
    hours: '2',
    load: '2',
    stop: '=1+1',
    legal: 'none',
    slot: { thu: 'no', fri: 'yes', sat: 'no' },
    publish: 'no',
  },
  gouttiere: {
    hours: '4',
    tasks: ['technical'],
    load: '3',
    legal: 'later',
    modes: { consent: '2', majority: '3', judgement: '1' },
    slot: { thu: 'yes', fri: 'maybe', sat: 'yes' },
    publish: 'yes',
  },
};
