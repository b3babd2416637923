package mls_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kith/internal/mls"
)

// TestSuites plays a short life in every suite: add, commit, message, leave by
// force, external join, storage.
func TestSuites(t *testing.T) {
	want := []mls.Suite{1, 2, 3, 5, 7, 0xF001}
	if got := mls.Suites(); !slices.Equal(got, want) {
		t.Fatalf("suites %v, want %v", got, want)
	}
	for _, s := range want {
		t.Run(fmt.Sprintf("%#x", uint16(s)), func(t *testing.T) {
			g := groupOf(t, s, 5)
			for _, d := range g {
				d.take(d.commit(mls.CommitParams{}), g)
				agree(t, g)
			}
			talk(t, g, g[3])
			for _, d := range g[:2] {
				restore(t, d)
			}
			dan := newDeviceOf(t, s, "dan")
			j, err := mls.JoinExternal(mls.ExternalParams{GroupInfo: g[2].info(true), Signer: dan.key, Identity: []byte("dan")})
			if err != nil {
				t.Fatal(err)
			}
			follow(t, j, g)
			dan.enter(j.Next)
			all := append(g, dan)
			agree(t, all)
			dan.take(dan.commit(mls.CommitParams{Remove: []uint32{0}}), all[1:])
			agree(t, all[1:])
			talk(t, all[1:], dan)
		})
	}
}

func TestSuitesOnCurve448AreRefusedByName(t *testing.T) {
	for _, s := range []mls.Suite{mls.SuiteX448AES256SHA512Ed448, mls.SuiteX448ChaChaSHA512Ed448} {
		_, _, err := mls.NewKeyPackage(newDevice(t, "x").key, mls.KeyPackageParams{Suite: s})
		reason(t, err, mls.ReasonSuite)
		if !errors.Is(err, mls.ErrCurve448) {
			t.Errorf("suite %d: %v", s, err)
		}
	}
	_, _, err := mls.NewKeyPackage(newDevice(t, "x").key, mls.KeyPackageParams{Suite: 8})
	reason(t, err, mls.ReasonSuite)
}
