import type { TourStep, WeightsJob } from '../../../shared/contract/index.ts';
import { wordsOf } from '../../lib/failure.ts';
import { locale, t } from '../../lib/i18n.svelte.ts';
import { currentRoute } from '../../lib/router.svelte.ts';
import { isActive, shareOf } from '../run/progress.ts';
import { add, addOn, areLaidOut, layOut } from './adding.ts';
import { ask } from './ask.ts';
import { bothAnswers } from './both-answers.ts';
import { answerTo, heard } from './heard.svelte.ts';
import { made, type TourChat } from './made.svelte.ts';
import type { InBothLanguages, TourSamples } from './samples.svelte.ts';
import { show } from './show.ts';
import { task, type Task } from './task.ts';
import { readChats, teach, teachOn } from './teaching.ts';

/** What a person has looked at, of what only looking does. */
export type Looked = Pick<Set<Task['name']>, 'has' | 'add'>;

/** What is done at each station, in order, and how far that is. */
export const tasksOf: Record<TourStep, (all: TourSamples, looked: Looked) => Task[]> = {
  chat: ({ questions: { chat, taught } }) => {
    const unknown = taught.map(({ question }) => question);
    const isUnknown = (text: string) => unknown.some((each) => isThat(each, text));
    return [
      asking('greet', 'first', chat, (text) => text !== '' && !isUnknown(text)),
      asking('unknown', 'first', unknown, isUnknown),
    ];
  },

  teach: (all) => {
    const { dataset, run } = made;
    return [
      task('data', {
        done: dataset?.state === 'ready',
        working: dataset?.state === 'waiting' || dataset?.state === 'working',
        share: dataset?.progress?.share ?? null,
        failure: dataset?.error ? wordsOf(dataset.error) : null,
        act: async () => show({ page: 'teach', datasetId: (await readChats(all)).id }),
      }),
      task('learn', {
        done: run?.state === 'done',
        working: run !== null && isActive(run),
        share: run && shareOf(run),
        failure: run?.state === 'failed' && run.error ? wordsOf(run.error) : null,
        act: async () => {
          if (!dataset) return;
          const { id } = await (run ? teachOn(run.id) : teach(all, dataset.id));
          await show({ page: 'teach', runId: id });
        },
      }),
    ];
  },

  compare: ({ questions }, looked) => {
    const { run } = made;
    const taught = questions.taught.map(({ question }) => question);
    const asked = asking('ask', 'after', taught, (text) => text !== '');
    const needRun = () => {
      if (run?.adapterId == null) throw new Error(t('tour.notTaught'));
    };
    return [
      task('sides', {
        done: asked.done || looked.has('sides'),
        // The last answers come when there is time.
        working: run?.state === 'done' && bothAnswers(run).length === 0 && waitsForAnswers(run.samples),
        act: async () => {
          needRun();
          looked.add('sides');
          if (run) await show({ page: 'teach', runId: run.id }, 'answers');
        },
      }),
      {
        ...asked,
        act: async () => {
          needRun();
          await asked.act();
        },
      },
    ];
  },

  delta: (all) => {
    const { job, model } = made;
    const other = asking('other', 'other', all.questions.delta, (text) => text !== '');
    return [
      task('bench', {
        done: job !== null || areLaidOut(all),
        act: async () => {
          await show({ page: 'weights' });
          await layOut(all);
        },
      }),
      task('apply', {
        done: job?.state === 'done',
        working: job?.state === 'waiting' || job?.state === 'running',
        share: job && shareOfJob(job),
        failure: job?.state === 'failed' && job.error ? wordsOf(job.error) : null,
        act: async () => {
          await show({ page: 'weights' });
          await (job ? addOn(job.id) : add(all));
          await show({ page: 'weights' }, 'operations');
        },
      }),
      {
        ...other,
        act: () => (model ? other.act() : show({ page: 'weights' })),
      },
    ];
  },

  model: (_, looked) => [
    task('suits', {
      done: looked.has('suits') || isAtDiscover(),
      act: async () => {
        looked.add('suits');
        await show({ page: 'models', discover: true });
      },
    }),
  ],
};

/** Something is asked in a conversation of the tour, and answered. */
function asking(
  name: Task['name'],
  chat: TourChat,
  questions: readonly InBothLanguages[],
  isMeant: (question: string) => boolean,
): Task {
  const question = questions[0]?.[locale()] ?? '';
  return task(name, {
    done: answerTo(heard.in(chat), isMeant) !== null,
    working: heard.isWriting(chat),
    act: () => ask(chat, question),
    question,
  });
}

function isThat({ en, ko }: InBothLanguages, text: string): boolean {
  return text === en || text === ko;
}

function isAtDiscover(): boolean {
  const route = currentRoute();
  return route.page === 'models' && route.discover === true;
}

function waitsForAnswers(samples: readonly { missing?: boolean | undefined }[]): boolean {
  return samples.some(({ missing }) => !missing);
}

function shareOfJob({ progress }: WeightsJob): number | null {
  return progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : null;
}
