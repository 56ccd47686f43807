// Surveys to begin with, as data in both languages: whoever takes one changes it as they like. No store, no clock of its own.
import { localTime, momentOf } from '../zonedTime.js';
import type { Choice, NameRule, Question, Section, Slot, Survey, Texts } from './schema.js';

export const templateNames = ['empty', 'review', 'governance', 'date', 'diagnosis'] as const;
export type TemplateName = (typeof templateNames)[number];

export interface SurveyTemplate {
  title: Texts;
  intro: Texts;
  answerBy: Survey['answerBy'];
  names: NameRule;
  sections: Section[];
}

/** French signs keep to their word at the end of a line. */
const both = (fr: string, en: string): Texts => ({ fr: fr.replace(/ (?=[:;?!»%])|(?<=«) /g, '\u00a0'), en });
type Pair = [fr: string, en: string];
type Labelled = [id: string, fr: string, en: string];
const choicesOf = (...labels: Labelled[]): Choice[] => labels.map(([id, fr, en]) => ({ id, label: both(fr, en) }));
const asked = (id: string, label: Pair, help?: Pair) => ({
  id,
  label: both(...label),
  help: help ? both(...help) : {},
  required: false,
  showIf: null,
  criterion: '',
});
const single = (id: string, label: Pair, choices: Choice[], other = false): Question => ({
  ...asked(id, label),
  kind: 'single',
  choices,
  other,
  min: null,
  max: null,
});
const multiple = (id: string, label: Pair, ...choices: Labelled[]): Question => ({
  ...asked(id, label),
  kind: 'multiple',
  choices: choicesOf(...choices),
  other: true,
  min: null,
  max: null,
});
const text = (id: string, label: Pair, help?: Pair): Question => ({ ...asked(id, label, help), kind: 'longText' });
const scale = (id: string, label: Pair, from: Pair, to: Pair): Question => ({
  ...asked(id, label),
  kind: 'scale',
  from: 1,
  to: 5,
  fromLabel: both(...from),
  toLabel: both(...to),
});
const section = (id: string, title: Pair, ...questions: Question[]): Section => ({
  id,
  title: both(...title),
  intro: {},
  showIf: null,
  questions,
});

/** The survey of that name; a date poll proposes evenings that lie ahead of `now` in that zone. */
export function templateOf(name: TemplateName, now: Date, timeZone: string): SurveyTemplate {
  if (name === 'review') return review();
  if (name === 'governance') return governance();
  if (name === 'date') return datePoll(now, timeZone);
  if (name === 'diagnosis') return diagnosis();
  return { title: {}, intro: {}, answerBy: 'collective', names: 'named', sections: [section('s1', ['', ''])] };
}

type Criterion = [code: string, level: 'must' | 'should', fr: string, en: string, evidence: Pair];
const address: Pair = ['l’adresse d’une page', 'the address of a page'];

/** Six axes, twenty criteria, in the order in which they are asked. The code's letters are the axis. */
const charter: { axis: string; title: Pair; criteria: Criterion[] }[] = [
  {
    axis: 'eng',
    title: ['Entraide', 'Mutual aid'],
    criteria: [
      [
        'ENG-1',
        'must',
        'Nous nommons deux personnes référentes, une principale et une suppléante.',
        'We name two contacts, a main one and a deputy.',
        ['leurs noms', 'their names'],
      ],
      [
        'ENG-2',
        'must',
        'Nous répondons à la revue annuelle.',
        'We answer the yearly review.',
        ['cette réponse', 'this answer'],
      ],
      [
        'ENG-3',
        'should',
        'Nous participons à un groupe de travail par an.',
        'We join one working group a year.',
        ['le nom du groupe', 'the name of the group'],
      ],
    ],
  },
  {
    axis: 'inf',
    title: ['Maîtrise', 'Control'],
    criteria: [
      [
        'INF-1',
        'must',
        'Nous avons un accès d’administration complet aux services que nous publions.',
        'We have full administration access to the services that we publish.',
        ['une déclaration', 'a statement'],
      ],
      [
        'INF-2',
        'must',
        'Nous nommons le lieu et le fournisseur du matériel, sauvegardes comprises.',
        'We name the place and the supplier of the hardware, backups included.',
        address,
      ],
      [
        'INF-3',
        'must',
        'Nous sauvegardons hors site au moins chaque semaine, et essayons une restauration chaque année.',
        'We back up off-site at least every week, and test a restore every year.',
        ['une adresse et une date', 'an address and a date'],
      ],
      [
        'INF-4',
        'should',
        'Nous publions la date du dernier essai de restauration.',
        'We publish the date of the last restore test.',
        address,
      ],
    ],
  },
  {
    axis: 'lib',
    title: ['Libertés', 'Freedoms'],
    criteria: [
      [
        'LIB-1',
        'must',
        'Nous n’employons que des logiciels libres ; les exceptions sont déclarées.',
        'We use free software only; exceptions are declared.',
        ['une liste', 'a list'],
      ],
      [
        'LIB-2',
        'must',
        'Chacun peut exporter et supprimer ses données, en libre-service ou sous 30 jours.',
        'Everybody can export and delete their data, by themselves or within 30 days.',
        address,
      ],
      [
        'LIB-3',
        'should',
        'Nous publions nos configurations.',
        'We publish our configurations.',
        ['un dépôt', 'a repository'],
      ],
    ],
  },
  {
    axis: 'tra',
    title: ['Transparence', 'Transparency'],
    criteria: [
      [
        'TRA-1',
        'must',
        'Nos conditions d’usage sont courtes et lisibles.',
        'Our terms of use are short and readable.',
        address,
      ],
      [
        'TRA-2',
        'must',
        'Nous tenons un registre des incidents de plus d’une heure.',
        'We keep a log of incidents of more than one hour.',
        address,
      ],
      [
        'TRA-3',
        'should',
        'Nous publions des statistiques d’usage anonymes.',
        'We publish anonymous usage statistics.',
        ['un fichier de chiffres', 'a file of figures'],
      ],
      [
        'TRA-4',
        'should',
        'Nous publions nos comptes et un rapport d’activité.',
        'We publish our accounts and an activity report.',
        address,
      ],
    ],
  },
  {
    axis: 'vie',
    title: ['Vie privée', 'Privacy'],
    criteria: [
      [
        'VIE-1',
        'must',
        'Nos services n’ont ni publicité ni pistage.',
        'Our services have neither advertising nor tracking.',
        ['un contrôle', 'a check'],
      ],
      [
        'VIE-2',
        'must',
        'Nous publions la durée de conservation des journaux.',
        'We publish how long logs are kept.',
        address,
      ],
      [
        'VIE-3',
        'should',
        'Nous publions le nombre de demandes d’autorités.',
        'We publish the number of requests from authorities.',
        address,
      ],
    ],
  },
  {
    axis: 'sol',
    title: ['Solidarité', 'Solidarity'],
    criteria: [
      [
        'SOL-1',
        'must',
        'Nous offrons un tarif ou un quota solidaire.',
        'We offer a solidarity price or quota.',
        address,
      ],
      [
        'SOL-2',
        'should',
        'Nous tenons une rencontre ouverte par an.',
        'We hold one open meeting a year.',
        ['sa date', 'its date'],
      ],
      [
        'SOL-3',
        'should',
        'Nous documentons une intervention sous licence libre.',
        'We document one outreach event under a free licence.',
        ['un lien', 'a link'],
      ],
    ],
  },
];

const levels: Record<'must' | 'should', Pair> = { must: ['Exigé', 'Required'], should: ['Souhaité', 'Wished for'] };

function review(): SurveyTemplate {
  const sections = charter.map(({ axis, title, criteria }) =>
    section(
      axis,
      title,
      ...criteria.map(([code, level, fr, en, [proof, evidence]]): Question => {
        const [besoin, need] = levels[level];
        return {
          ...asked(
            code.toLowerCase().replace('-', ''),
            [fr, en],
            [`${code}. ${besoin}. Ce qui le montre : ${proof}.`, `${code}. ${need}. What shows it: ${evidence}.`],
          ),
          criterion: code,
          kind: 'single',
          choices: choicesOf(['yes', 'Oui', 'Yes'], ['partly', 'En partie', 'Partly'], ['no', 'Non', 'No']),
          other: false,
          min: null,
          max: null,
        };
      }),
      text(
        `${axis}proof`,
        ['Liens et remarques', 'Links and remarks'],
        ['Ce qui le montre, et ce qui vous manque pour y arriver.', 'What shows it, and what you lack to get there.'],
      ),
    ),
  );
  return {
    title: both('Revue annuelle', 'Yearly review'),
    intro: both(
      'Où en sommes-nous de notre charte ? Répondez pour votre structure, telle qu’elle est aujourd’hui.',
      'How do we stand with our charter? Answer for your organisation as it is today.',
    ),
    answerBy: 'collective',
    names: 'named',
    sections,
  };
}

function governance(): SurveyTemplate {
  const modes = choicesOf(
    ['consent', 'Consentement : personne n’a d’objection raisonnée', 'Consent: nobody has a reasoned objection'],
    ['majority', 'Majorité des voix', 'Majority of votes'],
    ['judgment', 'Jugement majoritaire', 'Majority judgment'],
  );
  return {
    title: both('Notre gouvernance', 'How we govern ourselves'),
    intro: both(
      'Comment voulons-nous décider, et qui s’en charge ? Dix minutes.',
      'How do we want to decide, and who takes care of it? Ten minutes.',
    ),
    answerBy: 'collective',
    names: 'hiddenUntilClose',
    sections: [
      section(
        'deciding',
        ['Décider', 'Deciding'],
        {
          ...asked('modes', ['Classez ces façons de décider.', 'Rank these ways of deciding.']),
          kind: 'ranking',
          choices: modes,
        },
        {
          ...asked('quorum', [
            'Quelle part des structures doit s’exprimer pour qu’une décision compte ?',
            'What share of the organisations must take part for a decision to count?',
          ]),
          kind: 'number',
          min: 0,
          max: 100,
          decimals: 0,
          unit: both('%', '%'),
        },
        {
          ...asked('time', [
            'Combien de temps laisser pour se prononcer ?',
            'How much time should there be to respond?',
          ]),
          kind: 'number',
          min: 1,
          max: 180,
          decimals: 0,
          unit: both('jours', 'days'),
        },
        scale(
          'voice',
          ['Notre voix est entendue.', 'Our voice is heard.'],
          ['Pas du tout', 'Not at all'],
          ['Tout à fait', 'Fully'],
        ),
      ),
      section(
        'work',
        ['Le travail', 'The work'],
        scale(
          'load',
          ['À quel point la charge actuelle est-elle tenable ?', 'How sustainable is the current load?'],
          ['Intenable', 'Not sustainable'],
          ['Tenable', 'Sustainable'],
        ),
        multiple(
          'tasks',
          ['Quelles tâches prendriez-vous ?', 'Which tasks would you take?'],
          ['moderation', 'Modération', 'Moderation'],
          ['minutes', 'Comptes rendus', 'Minutes'],
          ['welcome', 'Accueil', 'Welcome'],
          ['technical', 'Technique', 'Technical work'],
          ['treasury', 'Trésorerie', 'Treasury'],
        ),
        single(
          'mandates',
          ['Combien de temps dure un mandat ?', 'How long should a mandate last?'],
          choicesOf(['six', 'Six mois', 'Six months'], ['year', 'Un an', 'One year'], ['two', 'Deux ans', 'Two years']),
          true,
        ),
        single(
          'legal',
          ['Faut-il une structure juridique ?', 'Do we need a legal person?'],
          choicesOf(
            ['yes', 'Oui', 'Yes'],
            ['no', 'Non', 'No'],
            ['later', 'Plus tard', 'Later'],
            ['none', 'Sans avis', 'No opinion'],
          ),
        ),
      ),
      section(
        'words',
        ['Avec vos mots', 'In your words'],
        text('stop', ['Ce qui devrait s’arrêter', 'What should stop']),
        text('begin', ['Ce qui devrait commencer', 'What should begin']),
      ),
    ],
  };
}

/** Three evenings in a row, from the Tuesday that is at least ten days ahead: 19:00 to 20:30 by the clocks of that zone. */
function datePoll(now: Date, timeZone: string): SurveyTemplate {
  const today = Date.parse(`${localTime(now, timeZone).slice(0, 10)}T00:00:00Z`);
  const dayMs = 24 * 60 * 60 * 1000;
  const first = [10, 11, 12, 13, 14, 15, 16]
    .map((days) => today + days * dayMs)
    .find((at) => new Date(at).getUTCDay() === 2);
  const slots = [0, 1, 2].map((step): Slot => {
    const day = new Date((first ?? today) + step * dayMs).toISOString().slice(0, 10);
    const at = (time: string) => momentOf(`${day}T${time}`, timeZone);
    return { id: `d${step + 1}`, startsAt: at('19:00') ?? now, endsAt: at('20:30') };
  });
  return {
    title: both('Trouver une date', 'Find a date'),
    intro: both(
      'Quand pouvez-vous ? « Si besoin » aide à trouver une date pour tout le monde.',
      'When can you come? “If need be” helps to find a date for everybody.',
    ),
    answerBy: 'person',
    names: 'named',
    sections: [
      section(
        'dates',
        ['', ''],
        {
          ...asked('slots', ['Quand pouvez-vous ?', 'When can you come?']),
          required: true,
          kind: 'availability',
          slots,
        },
        { ...asked('topics', ['De quoi faut-il parler ?', 'What should we talk about?']), kind: 'longText' },
      ),
    ],
  };
}

function diagnosis(): SurveyTemplate {
  const ways = choicesOf(
    ['ethical', 'Service libre d’un hébergeur éthique', 'Free service of an ethical hoster'],
    ['own', 'Sur notre matériel', 'On our own machines'],
    ['other', 'Un autre service', 'Another service'],
    ['none', 'Rien', 'Nothing'],
  );
  const yesNo = choicesOf(['yes', 'Oui', 'Yes'], ['no', 'Non', 'No'], ['unknown', 'Je ne sais pas', 'I do not know']);
  return {
    title: both('Nos pratiques numériques', 'Our digital practices'),
    intro: both(
      'Pour une association qui veut faire le point sur ses outils. Vingt minutes, à plusieurs de préférence.',
      'For an association that wants to take stock of its tools. Twenty minutes, best done together.',
    ),
    answerBy: 'anyone',
    names: 'named',
    sections: [
      section(
        'who',
        ['Votre association', 'Your association'],
        { ...asked('name', ['Nom de l’association', 'Name of the association']), required: true, kind: 'shortText' },
        {
          ...asked('people', ['Combien de personnes se servent de vos outils ?', 'How many people use your tools?']),
          kind: 'number',
          min: 0,
          max: 1_000_000,
          decimals: 0,
          unit: both('personnes', 'people'),
        },
        single(
          'care',
          ['Qui s’occupe du numérique ?', 'Who takes care of digital matters?'],
          choicesOf(
            ['nobody', 'Personne en particulier', 'Nobody in particular'],
            ['volunteers', 'Des bénévoles', 'Volunteers'],
            ['staff', 'Des personnes salariées', 'Staff'],
            ['supplier', 'Un prestataire', 'A supplier'],
          ),
          true,
        ),
      ),
      section(
        'tools',
        ['Vos outils', 'Your tools'],
        {
          ...asked('uses', ['Avec quoi faites-vous cela aujourd’hui ?', 'What do you do this with today?']),
          kind: 'grid',
          rowsFrom: 'rows',
          rows: choicesOf(
            ['mail', 'Courriel', 'E-mail'],
            ['lists', 'Listes de diffusion', 'Mailing lists'],
            ['files', 'Partage de fichiers', 'File sharing'],
            ['writing', 'Écriture à plusieurs', 'Writing together'],
            ['calendar', 'Agenda', 'Calendar'],
            ['calls', 'Visioconférence', 'Video calls'],
            ['site', 'Site web', 'Website'],
            ['members', 'Gestion des membres', 'Member records'],
          ),
          choices: ways,
        },
        scale(
          'content',
          ['Ces outils vous conviennent-ils ?', 'Do these tools suit you?'],
          ['Pas du tout', 'Not at all'],
          ['Tout à fait', 'Fully'],
        ),
        text('trouble', ['Ce qui vous gêne le plus', 'What bothers you most']),
      ),
      section(
        'safety',
        ['Vos données', 'Your data'],
        single('backup', ['Vos données sont-elles sauvegardées ?', 'Is your data backed up?'], yesNo),
        {
          ...asked('restore', [
            'Quand avez-vous essayé une restauration pour la dernière fois ?',
            'When did you last test a restore?',
          ]),
          showIf: { question: 'backup', test: 'oneOf', values: ['yes'], number: null },
          kind: 'date',
        },
        single(
          'access',
          [
            'Deux personnes au moins connaissent-elles chaque mot de passe important ?',
            'Do at least two people know each important password?',
          ],
          yesNo,
        ),
        single(
          'personal',
          [
            'Savez-vous quelles données personnelles vous conservez, et où ?',
            'Do you know which personal data you keep, and where?',
          ],
          yesNo,
        ),
      ),
      section(
        'wishes',
        ['La suite', 'What next'],
        multiple(
          'help',
          ['De quoi auriez-vous besoin ?', 'What would you need?'],
          ['advice', 'Un conseil pour choisir', 'Advice for choosing'],
          ['hosting', 'Un hébergement', 'Hosting'],
          ['training', 'Une formation', 'Training'],
          ['moving', 'De l’aide pour changer d’outil', 'Help with changing tools'],
        ),
        text('first', ['Par quoi commencer ?', 'What should come first?']),
        { ...asked('contact', ['Comment vous joindre ?', 'How can we reach you?']), kind: 'shortText' },
      ),
    ],
  };
}
