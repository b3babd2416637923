// Command dist makes a release out of the checkout: the program for each
// system, packed, with the licences of what is in it, a list of its parts and
// checksums of all of it (docs/RELEASE.md). scripts/dist.sh calls it.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// systems are what is built; docs/RELEASE.md says which of them were run.
var systems = []string{
	"linux/amd64", "linux/arm64",
	"darwin/amd64", "darwin/arm64",
	"windows/amd64", "windows/arm64",
}

func main() {
	version := flag.String("version", "unknown", "version of the release")
	commit := flag.Int64("time", 0, "time of the commit, in seconds since 1970; all files carry it")
	pageMap := flag.String("page-map", "", "folder of a page build with source maps")
	out := flag.String("out", "dist", "folder to write into")
	flag.Parse()
	if err := dist(*version, time.Unix(*commit, 0).UTC(), *pageMap, *out); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func dist(version string, at time.Time, pageMap, out string) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	programs := map[string][]byte{}
	var parts partList
	if err := parts.addPage(pageMap); err != nil {
		return err
	}
	for _, system := range systems {
		fmt.Println("building", system)
		path, err := build(system, version)
		if err != nil {
			return err
		}
		if err := parts.addProgram(path); err != nil {
			return err
		}
		if _, err := parts.findLicences(); err != nil { // before the next minutes of building
			return err
		}
		if programs[system], err = os.ReadFile(path); err != nil {
			return err
		}
	}
	licences, err := parts.findLicences()
	if err != nil {
		return err
	}
	files := map[string][]byte{"THIRD-PARTY-LICENCES.txt": licences}
	if files["kith-"+version+".sbom.json"], err = parts.cycloneDX(version, at); err != nil {
		return err
	}
	for _, system := range systems {
		name, packed, err := pack(system, version, programs[system], licences, at)
		if err != nil {
			return err
		}
		files[name] = packed
	}
	return write(out, files)
}

// build compiles the program for one system and returns its path.
func build(system, version string) (string, error) {
	goos, goarch, _ := strings.Cut(system, "/")
	path := filepath.Join(".cache", "dist", goos+"-"+goarch)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", path, "./cmd/kith")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", system, err, text)
	}
	return path, nil
}

// packed is one file of an archive.
type packed struct {
	name string
	mode int64
	body []byte
}

// pack returns the archive of one system and its name.
func pack(system, version string, program, licences []byte, at time.Time) (string, []byte, error) {
	folder := "kith-" + version + "-" + strings.ReplaceAll(system, "/", "-")
	windows := strings.HasPrefix(system, "windows/")
	name := "kith"
	if windows {
		name = "kith.exe"
	}
	files := []packed{{name, 0o755, program}, {"THIRD-PARTY-LICENCES.txt", 0o644, licences}}
	for _, file := range []string{"LICENSE", "README.md", "SECURITY.md"} {
		body, err := os.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		files = append(files, packed{file, 0o644, body})
	}
	if windows {
		body, err := packZip(folder, files, at)
		return folder + ".zip", body, err
	}
	body, err := packTar(folder, files, at)
	return folder + ".tar.gz", body, err
}

func packTar(folder string, files []packed, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(zipped)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: folder + "/" + f.name, Mode: f.mode, Size: int64(len(f.body)), ModTime: at, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return finish(zipped, &b)
}

func packZip(folder string, files []packed, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: folder + "/" + f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(os.FileMode(f.mode))
		part, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.body); err != nil {
			return nil, err
		}
	}
	return finish(w, &b)
}

func finish(w interface{ Close() error }, b *bytes.Buffer) ([]byte, error) {
	err := w.Close()
	return b.Bytes(), err
}

// write puts the files and their checksums into the folder.
func write(out string, files map[string][]byte) error {
	var sums strings.Builder
	for _, name := range sorted(files) {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(files[name]), name)
		if err := os.WriteFile(filepath.Join(out, name), files[name], 0o644); err != nil {
			return err
		}
		fmt.Printf("%9d  %s\n", len(files[name]), name)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
