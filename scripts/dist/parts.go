package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// part is one module or package that is inside the program.
type part struct {
	name, version string
	npm           bool
	sha512        []byte // npm: of the package's archive, from the lock file
	folder        string // where its licence lies
	licence       string // SPDX id or expression
}

// partList holds the parts by "name version".
type partList struct{ parts map[string]part }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (l *partList) add(p part) {
	if l.parts == nil {
		l.parts = map[string]part{}
	}
	l.parts[p.name+" "+p.version] = p
}

// addProgram adds the Go modules that the linker wrote into a program.
func (l *partList) addProgram(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	l.add(part{name: "std", version: strings.TrimPrefix(info.GoVersion, "go")})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		l.add(part{name: m.Path, version: m.Version})
	}
	return nil
}

// addPage adds the npm packages that the source maps of a page build name, with
// versions and checksums from the lock file.
func (l *partList) addPage(pageMap string) error {
	text, err := os.ReadFile("web/package-lock.json")
	if err != nil {
		return err
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity, License string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return fmt.Errorf("web/package-lock.json: %w", err)
	}
	folders, err := bundled(pageMap)
	if err != nil {
		return err
	}
	for folder := range folders {
		entry, ok := lock.Packages[folder]
		if !ok {
			return fmt.Errorf("the page holds %s, which the lock file does not know", folder)
		}
		_, name, _ := cutLast(folder, "node_modules/")
		p := part{name: name, version: entry.Version, npm: true, folder: filepath.Join("web", folder), licence: strings.Trim(entry.License, "()")}
		if encoded, ok := strings.CutPrefix(entry.Integrity, "sha512-"); ok {
			if p.sha512, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				return fmt.Errorf("%s: %w", folder, err)
			}
		}
		l.add(p)
	}
	return nil
}

// bundled returns the folders below node_modules that the maps name as sources.
func bundled(pageMap string) (map[string]bool, error) {
	folders := map[string]bool{}
	maps := 0
	err := filepath.WalkDir(pageMap, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".map" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var sourceMap struct{ Sources []string }
		if err := json.Unmarshal(text, &sourceMap); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		maps++
		for _, source := range sourceMap.Sources {
			if before, rest, ok := cutLast(filepath.ToSlash(source), "node_modules/"); ok {
				_, nested, _ := strings.Cut(before, "node_modules/")
				names := strings.Split(rest, "/")
				n := 1
				if strings.HasPrefix(rest, "@") {
					n = 2
				}
				folder := "node_modules/" + strings.Join(names[:n], "/")
				if nested != "" {
					folder = "node_modules/" + nested + folder
				}
				folders[folder] = true
			}
		}
		return nil
	})
	if err == nil && (maps == 0 || len(folders) == 0) {
		err = errors.New("the page build has no source maps")
	}
	return folders, err
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// cycloneDX returns the list as CycloneDX 1.5.
func (l *partList) cycloneDX(version string, at time.Time) ([]byte, error) {
	type hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	type choice struct {
		Expression string `json:"expression"`
	}
	type component struct {
		Type     string   `json:"type"`
		Ref      string   `json:"bom-ref"`
		Name     string   `json:"name"`
		Version  string   `json:"version"`
		PURL     string   `json:"purl,omitempty"`
		Hashes   []hash   `json:"hashes,omitempty"`
		Licences []choice `json:"licenses,omitempty"`
	}
	type metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	components := []component{}
	for _, key := range sorted(l.parts) {
		p := l.parts[key]
		c := component{Type: "library", Name: p.name, Version: p.version, Licences: []choice{{p.licence}}}
		if p.npm {
			c.PURL = "pkg:npm/" + strings.ReplaceAll(p.name, "@", "%40") + "@" + p.version
			c.Hashes = []hash{{"SHA-512", hex.EncodeToString(p.sha512)}}
		} else {
			c.PURL = "pkg:golang/" + p.name + "@" + p.version
		}
		c.Ref = c.PURL
		components = append(components, c)
	}
	text, err := json.MarshalIndent(components, "", "  ")
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(text) // the serial number must be a UUID; the same list gives the same one
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return json.MarshalIndent(struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Serial     string      `json:"serialNumber"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}{
		"CycloneDX", "1.5",
		fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16]),
		1,
		metadata{at.Format(time.RFC3339), component{Type: "application", Ref: "kith", Name: "kith", Version: version, Licences: []choice{{"Apache-2.0"}}}},
		components,
	}, "", "  ")
}
