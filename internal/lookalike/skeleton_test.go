package lookalike_test

import (
	"testing"

	"kith/internal/lookalike"
)

func TestSkeleton(t *testing.T) {
	for _, alike := range [][]string{
		{"Ben", "ben", "BEN", "Вen", "Bеn", "Веп", "Ｂｅｎ", "B\u200den", " Ben ", "𝐁𝐞𝐧", "Ben\ufe0f"},
		{"Ann Lee", "Ann  Lee", "Ann\u00a0Lee", "Αnn Lее", "ann lee"},
		{"Will", "WILL", "Wi1l", "WiII", "Vvill", "Wіll"},
		{"Ian", "lan", "IAN", "1an", "Іan", "|an"},
		{"Zoë", "Zoe\u0308", "zoë"},
		{"Romm", "Rornrn"},
		{"Anne-Marie", "Anne–Marie"},
		{"you", "уоυ", "YOU", "y0u"},
		{"李", "李"},
		{"Зоя", "зоя"},
	} {
		for _, name := range alike {
			if got, want := lookalike.Of(name), lookalike.Of(alike[0]); !got.Like(want) || !want.Like(got) {
				t.Errorf("%q is %q, and %q is %q", name, got, alike[0], want)
			}
		}
	}
	differ := []string{"Ann", "Anna", "Zoe", "Zoë", "Ben", "Ken", "李", "王", "Анна", "Ян", "Max", "Ann Lee", "AnnLee", "Hiro Ib", "Hiro Lb", "", "\u200d"}
	for i, name := range differ {
		for _, other := range differ[:i] {
			if a, b := lookalike.Of(name), lookalike.Of(other); a.Like(b) {
				t.Errorf("%q and %q are %q and %q", name, other, a, b)
			}
		}
	}
}

func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{"Ben", "rrn", "vvv", "\u0308", "ﬁ", "İ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := lookalike.Of(name)
		if lookalike.Of(" "+name+"  ") != s || s.Like(s) != (s.Small != "") {
			t.Errorf("%q is %q, and not with spaces around it, or not like itself", name, s)
		}
	})
}
