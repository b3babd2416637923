package lookalike_test

import (
	"testing"

	"kith/internal/lookalike"
)

func TestSkeleton(t *testing.T) {
	for _, alike := range [][]string{
		{"Ben", "ben", "BEN", "Вen", "Bеn", "Веп", "Ｂｅｎ", "B\u200den", " Ben ", "𝐁𝐞𝐧", "Ben\ufe0f"},
		{"Ann Lee", "Ann  Lee", "Ann\u00a0Lee", "Αnn Lее"},
		{"Will", "WILL", "Wi11", "WilI", "Vvill"},
		{"Zoë", "Zoe\u0308", "Zоë"},
		{"Romm", "Rornrn"},
		{"Anne-Marie", "Anne–Marie"},
		{"you", "уоυ", "YOU", "y0u"},
		{"李", "李"},
		{"", "\u200d"},
	} {
		for _, name := range alike {
			if got, want := lookalike.Skeleton(name), lookalike.Skeleton(alike[0]); got != want {
				t.Errorf("%q is %q, and %q is %q", name, got, alike[0], want)
			}
		}
	}
	differ := []string{"Ann", "Anna", "Zoe", "Zoë", "Ben", "Ken", "李", "王", "Анна", "Ян", "Max", "Ann Lee", "AnnLee"}
	seen := make(map[string]string)
	for _, name := range differ {
		s := lookalike.Skeleton(name)
		if other, there := seen[s]; there {
			t.Errorf("%q and %q are %q", name, other, s)
		}
		seen[s] = name
	}
}

func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{"Ben", "rrn", "vvv", "\u0308", "ﬁ", "İ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got := lookalike.Skeleton(name); lookalike.Skeleton(name+" ") != got {
			t.Errorf("a space at the end of %q changes %q", name, got)
		}
	})
}
