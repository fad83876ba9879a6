import type { Translation } from '../translation.ts';
import type { en } from './en.ts';

/** 프로그램 자체에 관한 글: 들어 있는 다른 사람들의 작업, 새 버전. */
export const ko: Translation<typeof en> = {
  thirdParty: {
    title: '다른 사람들의 작업',
    hint: '누구나 쓸 수 있게 나눠 준 프로그램, 글꼴, 라이브러리가 Puna에 들어 있어요.',
    show: '라이선스',
    close: '닫기',
    waiting: '읽고 있어요',
    text: '다른 사람들의 작업에 대한 라이선스',
    missing: '라이선스는 빌드한 Puna에 들어 있어요. 지금은 개발 중인 Puna예요.',
  },
  updates: {
    title: '새 버전 확인',
    hint: '하루에 한 번 Puna를 받은 곳에 새 버전이 있는지 물어보고, 받아 두었다가 종료할 때 설치해요.',
    newVersions: '새 버전',
    unavailable: '이 빌드에는 설정되어 있지 않아서 어디에도 물어보지 않아요.',
    never: '확인하지 않음',
    ready: '{{version}} 버전을 받아 두었어요. 종료할 때 설치해요.',
  },
};
