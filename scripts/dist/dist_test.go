package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestBundled(t *testing.T) {
	folder := t.TempDir()
	text := `{"version":3,"sources":["../../web/src/main.ts","../../web/node_modules/svelte/src/index.js",` +
		`"../../web/node_modules/@lucide/svelte/dist/x.js","../../web/node_modules/a/node_modules/@b/c/x.js"]}`
	if err := os.WriteFile(filepath.Join(folder, "main.js.map"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	folders, err := bundled(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"node_modules/@lucide/svelte", "node_modules/a/node_modules/@b/c", "node_modules/svelte"}
	if got := sorted(folders); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := bundled(t.TempDir()); err == nil {
		t.Error("a page without source maps passes")
	}
}

func TestNameLicence(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004":                                     "Apache-2.0",
		"Permission is hereby granted, free of charge, to any person\nobtaining a copy of": "MIT",
		"Redistribution and use in source and binary forms ... Neither the name of the":    "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":               "BSD-2-Clause",
		"GNU AFFERO GENERAL PUBLIC LICENSE ... see the GNU General Public License":         "AGPL-3.0-only",
		"You may do as you like": "",
		"Permission to use, copy, modify, and/or distribute this software for any purpose with or": "ISC",
	} {
		if got := nameLicence([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPack(t *testing.T) {
	at := time.Unix(1_800_000_000, 0).UTC()
	files := []packed{{"kith", 0o755, []byte("program")}, {"LICENSE", 0o644, []byte("text")}}
	first, err := packTar("kith-1", files, at)
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := packTar("kith-1", files, at); !bytes.Equal(first, second) {
		t.Error("two archives of the same files differ")
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(unzipped)
	header, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r)
	if header.Name != "kith-1/kith" || header.Mode != 0o755 || !header.ModTime.Equal(at) || string(body) != "program" {
		t.Errorf("%+v %q", header, body)
	}
	third, err := packZip("kith-1", files, at)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(third), int64(len(third)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != "kith-1/kith" {
		t.Errorf("%v %v", z.File, err)
	}
}
