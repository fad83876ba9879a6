import { ORPCError } from '@orpc/client';
import { toast } from 'svelte-sonner';

/** What a failed call says to a person: the sentence and what to do. */
export function failureText(thrown: unknown): { sentence: string; remedy: string } {
  if (thrown instanceof ORPCError) {
    const data: unknown = thrown.data;
    const remedy = data && typeof data === 'object' && 'remedy' in data ? String(data.remedy) : '';
    return { sentence: thrown.message, remedy };
  }
  return { sentence: thrown instanceof Error ? thrown.message : String(thrown), remedy: '' };
}

/** Tells a failure that nothing else shows. */
export function tellFailure(thrown: unknown): void {
  const { sentence, remedy } = failureText(thrown);
  toast.error(sentence, remedy ? { description: remedy } : {});
}
