import { type Detector, languageOf } from '../clean/language.ts';
import { type GrowReason, growReasons } from './reasons.ts';
import { unitsOf } from './rouge.ts';

/** What a task or question may be. */
export interface AskedLimits {
  /** Null: any. */
  language: string | null;
  /** Models that answer in text are only asked about text. */
  onlyText: boolean;
  detect: Detector;
}

/** The paper leaves out what has three words or fewer, "rarely meaningful"; Korean is counted by pairs of syllables. */
const fewestUnits = 4;
/** The paper's limit, in words; scripts without spaces have some three signs for a word. */
const mostWords = 150;
const mostCharacters = 1000;

/** The words of the authors' own list, those that Alpaca has added to it, and addresses. */
const beyondEnglishText =
  /\b(?:images?|pictures?|photos?|photographs?|graphs?|charts?|diagrams?|flowcharts?|maps?|files?|attachments?|screenshots?|videos?|audio|draw|plot|sketch|go to|click|upload|download)\b|https?:|www\./i;
/** The same in Korean; words that only begin alike (그림자, 파일럿, 도표시) are none. */
const beyondKoreanText =
  /(?<!\p{L})(?:이미지|사진|그림(?!자)|그래프|차트|도표(?!시)|다이어그램|순서도|첨부|파일(?!럿)|동영상|비디오|오디오|스크린샷|그려|클릭|업로드|다운로드)/u;

/** The last name of a thing that is no text, in code: there files and pictures are fine. */
const aboutCode =
  /\b(?:code|function|script|program|regex|regular expression|sql|html|css|python|javascript|class)\b|코드|함수|스크립트|프로그램|정규식|파이썬|자바스크립트/i;

/** Why something that a model asks is left out; null: it is not. After the paper. */
export function faultOfAsked(text: string, { language, onlyText, detect }: AskedLimits): GrowReason | null {
  if (/^[^\p{L}\p{N}"'“‘]/u.test(text)) return growReasons.strangeStart;
  if (unitsOf(text).length < fewestUnits) return growReasons.tooShort;
  if (text.split(/\s+/).length > mostWords || text.length > mostCharacters) return growReasons.tooLong;
  const written = languageIn(text, detect);
  if (written !== null && language !== null && written !== language) return growReasons.otherLanguage;
  if (onlyText && !aboutCode.test(text) && (beyondEnglishText.test(text) || beyondKoreanText.test(text))) {
    return growReasons.beyondText;
  }
  return null;
}

/** Of a sentence that is too short for the detector, its script. */
function languageIn(text: string, detect: Detector): string | null {
  const found = languageOf([text], detect);
  if (found !== null) return found;
  return /\p{Script=Hangul}/u.test(text) ? 'ko' : null;
}
