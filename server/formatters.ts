// The platform's formatters of dates, numbers and names, each made once: making one costs as much as using it a hundred
// times. What is written, and in which style, is decided where it is shown.

/** More than a busy instance uses: two languages, a dozen styles, the time zones of those who are here. */
const mostKept = 200;

type Options = object | undefined;

/** The maker, with what it made remembered by its arguments; all is forgotten when it is too much. */
function once<O extends Options, F>(make: (locale: string, options: O) => F): (locale: string, options: O) => F {
  const made = new Map<string, F>();
  return (locale, options) => {
    const key = options === undefined ? locale : locale + JSON.stringify(options);
    const known = made.get(key);
    if (known !== undefined) return known;
    if (made.size >= mostKept) made.clear();
    const formatter = make(locale, options);
    made.set(key, formatter);
    return formatter;
  };
}

export const dateFormat = once(
  (locale, options: Intl.DateTimeFormatOptions | undefined) => new Intl.DateTimeFormat(locale, options),
);

export const numberFormat = once(
  (locale, options: Intl.NumberFormatOptions | undefined) => new Intl.NumberFormat(locale, options),
);

export const pluralRules = once(
  (locale, options: Intl.PluralRulesOptions | undefined) => new Intl.PluralRules(locale, options),
);

const displayNames = once((locale, options: Intl.DisplayNamesOptions) => new Intl.DisplayNames(locale, options));

/** The name of a country (ISO 3166-1 alpha-2) in that language; the code itself when it has none. RangeError: no code. */
export function regionName(locale: string, code: string): string {
  return displayNames(locale, { type: 'region' }).of(code) ?? code;
}

/** The name of a language (BCP 47) in that language; the code itself when it has none. RangeError: no code. */
export function languageName(locale: string, code: string): string {
  return displayNames(locale, { type: 'language' }).of(code) ?? code;
}
