import { endSign } from './self-chat-prompt.ts';
import { unwrapped } from './records.ts';

const personLabel =
  /^[\s*_[]*(?:the )?(?:person|user|human|me|next message|first message|message|사람|사용자|나|다음 메시지|첫 메시지|메시지)(?:'s (?:next |first )?message)?[\]*_]*\s*[:：][*_]*\s*/i;
const assistantLabel =
  /^[\s*_[]*(?:the )?(?:assistant|ai|bot|chatbot|어시스턴트|도우미|챗봇)[\]*_]*\s*[:：]/im;
/** "Sure, here is the next message:" is not what the person says. */
const introduction =
  /^(?:sure|certainly|of course|okay|ok|here(?:'s| is)|네|물론|알겠습니다|다음은)[^\n]{0,120}[:：]\s*\n+/i;

/** Whoever writes more says something. */
const longestFarewell = 120;

const farewell =
  /^(?:(?:ok(?:ay)?|great|perfect|no|got it|thank you|thanks|many thanks|goodbye|good bye|bye|that(?:'s| is) (?:all|it)|have a (?:good|nice|great) day|네|아니요|알겠습니다|고마워요?|고맙습니다|감사합니다|감사해요|안녕히 ?계세요|수고하세요|잘 ?있어요?|그럼 이만|좋은 하루 (?:되세요|보내세요))(?:[\s,.!~]|so much|very much|a lot|again|for (?:your|the|all)(?: \w+){1,3}|정말|너무|도와주셔서)*)+$/i;

/** What the person says in the model's reply; null: nothing any more. */
export function personMessage(reply: string): string | null {
  const said = reply.replace(introduction, '').replace(personLabel, '');
  // Models like to write the answer as well, which is asked for in its own turn.
  const before = said.slice(0, assistantLabel.exec(said)?.index).trim();
  const message = unwrapped(before);
  const short = message.length <= longestFarewell;
  const ended = before.toUpperCase().includes(endSign) || /^\W*END\W*$/i.test(before);
  if (ended || message === '' || (short && farewell.test(message.replaceAll('’', "'")))) return null;
  return message;
}
