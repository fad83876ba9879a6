/** Whether a text breaks its lines between words, as Korean does; other scripts of the East break them inside. */
export function isKorean(text: string): boolean {
  return /[가-힣]/.test(text);
}
