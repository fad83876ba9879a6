/** The words of menus and dialogs; those of the page are in src/renderer/messages. Electron's roles speak English only. */
const english = {
  about: 'About Puna',
  hide: 'Hide Puna',
  hideOthers: 'Hide Others',
  showAll: 'Show All',
  quit: 'Quit Puna',
  file: 'File',
  openDataFolder: 'Open Data Folder',
  close: 'Close Window',
  edit: 'Edit',
  undo: 'Undo',
  redo: 'Redo',
  cut: 'Cut',
  copy: 'Copy',
  copyLink: 'Copy Link',
  paste: 'Paste',
  pasteAsText: 'Paste as Plain Text',
  selectAll: 'Select All',
  view: 'View',
  actualSize: 'Actual Size',
  zoomIn: 'Zoom In',
  zoomOut: 'Zoom Out',
  fullScreen: 'Full Screen',
  window: 'Window',
  minimize: 'Minimize',
  zoom: 'Zoom',
  front: 'Bring All to Front',
  develop: 'Develop',
  reload: 'Reload',
  developerTools: 'Developer Tools',
  pickModels: 'Add models',
  ggufFiles: 'GGUF models',
};

export type Words = typeof english;

const korean: Words = {
  about: 'Puna에 관하여',
  hide: 'Puna 가리기',
  hideOthers: '기타 가리기',
  showAll: '모두 보기',
  quit: 'Puna 종료',
  file: '파일',
  openDataFolder: '데이터 폴더 열기',
  close: '창 닫기',
  edit: '편집',
  undo: '실행 취소',
  redo: '다시 실행',
  cut: '잘라내기',
  copy: '복사',
  copyLink: '링크 복사',
  paste: '붙여넣기',
  pasteAsText: '서식 없이 붙여넣기',
  selectAll: '모두 선택',
  view: '보기',
  actualSize: '실제 크기',
  zoomIn: '확대',
  zoomOut: '축소',
  fullScreen: '전체 화면',
  window: '윈도우',
  minimize: '최소화',
  zoom: '확대/축소',
  front: '모두 앞으로 가져오기',
  develop: '개발',
  reload: '새로고침',
  developerTools: '개발자 도구',
  pickModels: '모델 추가',
  ggufFiles: 'GGUF 모델',
};

/** `system` follows the first of the person's preferred languages that Puna speaks. */
export function wordsFor(language: 'system' | 'en' | 'ko', preferred: string[]): Words {
  if (language !== 'system') return language === 'ko' ? korean : english;
  const spoken = preferred.find((tag) => /^(en|ko)\b/i.test(tag));
  return spoken?.toLowerCase().startsWith('ko') ? korean : english;
}
