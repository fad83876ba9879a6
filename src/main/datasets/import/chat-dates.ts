/** A time of day as chats write it, with groups for a word before it, hours, minutes, seconds, and a word after it. */
export const timeSource =
  '(?:(오전|오후|午前|午後|上午|下午|[ap]\\.?\\s?m\\.?)\\s?)?(\\d{1,2})[:.](\\d{2})(?:[:.](\\d{2}))?(?:\\s?([ap]\\.?\\s?m\\.?))?';

/** The groups of `timeSource`, in minutes and seconds since midnight, as milliseconds; null where there is no such time. */
export function timeOf(groups: readonly (string | undefined)[]): number | null {
  const [before, hours, minutes, seconds = '0', after] = groups;
  const half = before ?? after;
  let hour = Number(hours);
  if (half) {
    if (hour < 1 || hour > 12) {
      // Some phones write 15:21 PM.
      if (hour > 23) return null;
    } else hour = (hour % 12) + (/오후|午後|下午|^p/i.test(half) ? 12 : 0);
  }
  const [minute, second] = [Number(minutes), Number(seconds)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

/** Midnight of a day, on the chat's own clock; null where there is no such day. */
export function dayOf(year: number, month: number, day: number): number | null {
  const full = year < 100 ? 2000 + year : year;
  const at = Date.UTC(full, month - 1, day);
  const date = new Date(at);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? at : null;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A date with the month's name or in Korean, as KakaoTalk writes it; null where it is none. */
export function writtenDay(text: string): number | null {
  const korean = /^(\d{4})\s?[년.-]\s?(\d{1,2})\s?[월.-]\s?(\d{1,2})\s?[일.]?/.exec(text);
  if (korean) return dayOf(Number(korean[1]), Number(korean[2]), Number(korean[3]));
  const monthFirst = /([A-Za-z]{3,9})\.? (\d{1,2}), (\d{4})/.exec(text);
  const dayFirst = /(\d{1,2}) ([A-Za-z]{3,9})\.?,? (\d{4})/.exec(text);
  const [name, day, year] = monthFirst
    ? [monthFirst[1], monthFirst[2], monthFirst[3]]
    : [dayFirst?.[2], dayFirst?.[1], dayFirst?.[3]];
  const month = months.indexOf((name ?? '').slice(0, 3).toLowerCase()) + 1;
  return month === 0 ? null : dayOf(Number(year), month, Number(day));
}

/** Which of the three numbers of a date is what. */
export type DateOrder = 'dmy' | 'mdy' | 'ymd';

const orders: readonly DateOrder[] = ['dmy', 'mdy', 'ymd'];

export function dayInOrder(order: DateOrder, [a, b, c]: readonly [number, number, number]): number | null {
  if (order === 'ymd') return a > 31 || c < 32 ? dayOf(a, b, c) : null;
  // A year of two digits may look like a day; one of four never does.
  if (a > 31) return null;
  return order === 'dmy' ? dayOf(c, b, a) : dayOf(c, a, b);
}

/** Finds the order of a file's dates by all of them: they must be days, and in a chat they only go on. */
export class DateOrders {
  readonly #counts = orders.map((order) => ({
    order,
    impossible: 0,
    backwards: 0,
    last: -Infinity,
    span: 0,
  }));

  add(numbers: readonly [number, number, number]): void {
    for (const count of this.#counts) {
      const day = dayInOrder(count.order, numbers);
      if (day === null) count.impossible++;
      else {
        if (day < count.last) count.backwards++;
        else if (count.last > -Infinity) count.span += day - count.last;
        count.last = day;
      }
    }
  }

  /** The likeliest; `usual` where the dates do not tell. Null: most of them are no dates in any order. */
  order(total: number, usual: DateOrder): DateOrder | null {
    const [best] = this.#counts.toSorted(
      (one, other) =>
        one.impossible - other.impossible ||
        one.backwards - other.backwards ||
        Number(other.order === usual) - Number(one.order === usual) ||
        one.span - other.span,
    );
    return best && best.impossible * 2 < total ? best.order : null;
  }
}
