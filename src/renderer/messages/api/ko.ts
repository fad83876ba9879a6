import type { Translation } from '../translation.ts';
import type { en } from './en.ts';

export const ko: Translation<typeof en> = {
  title: '다른 프로그램',
  hint: '이 컴퓨터에서 OpenAI API를 쓰는 프로그램이 내 모델을 쓸 수 있어요. 다른 곳에서는 들어올 수 없어요.',
  switch: '다른 프로그램에 모델 열어 두기',
  switchHint: 'Puna가 열려 있는 동안, 키를 가진 프로그램이 내 모델로 글을 쓸 수 있어요.',
  address: '주소',
  addressHint: '프로그램에서는 base URL이라고 불러요.',
  copyAddress: '주소 복사',
  key: '키',
  keyHint: '프로그램에서는 API key라고 불러요. 믿을 수 있는 프로그램에만 알려 주세요.',
  copyKey: '키 복사',
  showKey: '키 보기',
  hideKey: '키 가리기',
  port: '포트',
  portHint: '이 포트를 다른 프로그램이 쓰고 있으면 바꿔 주세요.',
};
