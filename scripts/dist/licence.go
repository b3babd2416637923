package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licenceFile is how authors name what must travel with their work.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying|notice)([-.].*)?$`)

// phrases tell the licences that occur apart, most telling first.
var phrases = []struct{ id, phrase string }{
	{"Apache-2.0 OR MIT", "spdx-license-identifier: apache-2.0 or mit"},
	{"MPL-2.0", "mozilla public license version 2.0"}, // it names the three below as secondary ones
	{"MPL-2.0", "mozilla public license, version 2.0"},
	{"AGPL-3.0-only", "affero general public license"},
	{"LGPL-3.0-only", "lesser general public license"},
	{"GPL-3.0-only", "gnu general public license"},
	{"Apache-2.0", "apache license version 2.0"},
	{"Apache-2.0", "licensed under the apache license, version 2.0"},
	{"Unlicense", "this is free and unencumbered software"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
	{"BSD-3-Clause", "neither the name"},
	{"BSD-3-Clause", "the name of the copyright holder may not be used"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms"},
}

// supplied names the files that hold the licence texts of parts which ship
// none: all of these are under Apache-2.0, whose text is that of our own
// licence; protobuf has parts of Google's with the text above its code.
var supplied = map[string][]string{
	"@bufbuild/protobuf":      {"LICENSE", "web/node_modules/@bufbuild/protobuf/dist/esm/wire/varint.js"},
	"@connectrpc/connect":     {"LICENSE"},
	"@connectrpc/connect-web": {"LICENSE"},

	"github.com/multiformats/go-base36": {"LICENSE"}, // names two licences, and neither's text
}

// findLicences reads the licence of every part, fills in its SPDX id, and
// returns all the texts. A part without a text, or with one that it cannot
// name, is an error: somebody has to look at it.
func (l *partList) findLicences() ([]byte, error) {
	folders, err := l.moduleFolders()
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	all.WriteString("Kith contains the following works under their own licences.\n")
	for _, key := range sorted(l.parts) {
		p := l.parts[key]
		if !p.npm {
			p.folder = folders[p.name]
		}
		text, err := licenceOf(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if p.licence == "" {
			p.licence = nameLicence(text)
		}
		if p.licence == "" || strings.Contains(p.licence, "GPL") {
			return nil, fmt.Errorf("%s has a licence (%q) that nobody decided on; see docs/adr/0001-licence.md", key, p.licence)
		}
		l.parts[key] = p
		rule := strings.Repeat("=", 80)
		fmt.Fprintf(&all, "\n%s\n%s %s (%s)\n%s\n\n%s\n", rule, p.name, p.version, p.licence, rule, strings.TrimSpace(string(text)))
	}
	return all.Bytes(), nil
}

// moduleFolders returns where the source of each Go module in the list lies. It
// asks for these alone: "all" would want modules that no build needs.
func (l *partList) moduleFolders() (map[string]string, error) {
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, key := range sorted(l.parts) {
		if p := l.parts[key]; !p.npm && p.name != "std" {
			args = append(args, p.name)
		}
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	folders := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		folders[name] = folder
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	folders["std"] = strings.TrimSpace(string(goroot))
	return folders, err
}

// licenceOf returns all licence texts of a part.
func licenceOf(p part) ([]byte, error) {
	entries, err := os.ReadDir(p.folder)
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.folder, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	for _, path := range supplied[p.name] {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if filepath.Ext(path) == ".js" {
			text = firstComment(text)
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("no licence text in %s", p.folder)
	}
	return bytes.Join(texts, []byte("\n\n")), nil
}

// firstComment returns the text of the // lines that a file begins with.
func firstComment(code []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(code) {
		text, ok := bytes.CutPrefix(line, []byte("//"))
		if !ok {
			break
		}
		b.Write(bytes.TrimPrefix(text, []byte(" ")))
	}
	return b.Bytes()
}

// nameLicence returns the SPDX id of a text, or "" for one that is none of the
// usual.
func nameLicence(text []byte) string {
	plain := strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
	for _, p := range phrases {
		if strings.Contains(plain, p.phrase) {
			return p.id
		}
	}
	return ""
}
