import type { CleanSettings, PersonalKind } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { type Cleaner, dropped, type Finding, kept, type Verdict } from './cleaner.ts';
import { mask } from './personal/index.ts';
import { withTexts } from './texts.ts';

/** Masks personal data, or drops examples that have some, kind by kind. Reasons are the kinds. */
export function personalDataCleaner({ kinds }: CleanSettings['personalData']): Cleaner {
  const looked = (kind: PersonalKind) => kinds[kind] !== 'keep';

  function judge(example: Example): Verdict {
    const findings: Finding[] = [];
    const masked = withTexts(example, (text) => {
      const { text: result, found } = mask(text, looked);
      for (const kind of found) findings.push({ reason: kind, text: result });
      return result;
    });
    const toDrop = findings.find(({ reason }) =>
      Object.entries(kinds).some(([kind, action]) => kind === reason && action === 'drop'),
    );
    if (toDrop) return dropped(toDrop.reason, toDrop.text);
    return findings.length > 0 ? { kind: 'changed', example: masked, findings } : kept;
  }

  return { name: 'personal-data', judge };
}
