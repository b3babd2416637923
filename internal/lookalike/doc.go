// Package lookalike tells names apart as eyes do. Anybody may call themselves as somebody else of a
// group does, or so that it looks the same; a chat then shows the beginnings of their ids beside both
// (docs/spec/api.md, "People whose names look alike").
//
// It follows UTS #39 in what it does and has the letters of it that people have on their keyboards:
// those of Latin, Greek, Cyrillic and Armenian, and digits. Two names that it finds different may
// still look alike in some font.
package lookalike
