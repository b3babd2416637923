package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// page is one Markdown document.
type page struct {
	path  string // from the root
	lines []string
}

// block is one fenced block of shell commands.
type block struct {
	page     string
	line     int
	commands []string
	mark     string // content of the HTML comment above it
}

// readPages returns every document of the checkout.
func readPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist" || d.Name() == "testdata" || path != root && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		pages = append(pages, page{filepath.ToSlash(rel), strings.Split(string(text), "\n")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 10 {
		t.Fatalf("found %d documents; the test looks in the wrong place", len(pages))
	}
	return pages
}

var comment = regexp.MustCompile(`^<!-- (.*) -->$`)

// blocks returns the sh blocks of a page.
func (p page) blocks() []block {
	var blocks []block
	mark, open, inOther := "", -1, false
	for i, line := range p.lines {
		fence := strings.HasPrefix(line, "```")
		switch {
		case open >= 0 && fence:
			open = -1
		case open >= 0:
			blocks[open].commands = append(blocks[open].commands, line)
		case inOther:
			inOther = !fence
		case line == "```sh":
			blocks = append(blocks, block{page: p.path, line: i + 1, mark: mark})
			open, mark = len(blocks)-1, ""
		case fence:
			inOther, mark = true, ""
		default:
			if m := comment.FindStringSubmatch(line); m != nil {
				mark = m[1]
			} else if line != "" {
				mark = ""
			}
		}
	}
	return blocks
}

// prose returns the page's lines outside fenced blocks, with inline code taken
// out.
func (p page) prose() []string {
	var prose []string
	inside := false
	for _, line := range p.lines {
		if strings.HasPrefix(line, "```") {
			inside = !inside
			continue
		}
		if !inside && !strings.HasPrefix(line, "    ") {
			prose = append(prose, inlineCode.ReplaceAllString(line, ""))
		}
	}
	return prose
}

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// headings returns the anchors of a page, as sites that show Markdown make them.
func (p page) headings() map[string]bool {
	anchors := map[string]bool{}
	for _, line := range p.lines {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		title := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		anchors[notInAnchor.ReplaceAllString(strings.ReplaceAll(title, " ", "-"), "")] = true
	}
	return anchors
}

var notInAnchor = regexp.MustCompile(`[^\pL\pN_-]`)

func TestLinks(t *testing.T) {
	pages := readPages(t)
	byPath := map[string]page{}
	for _, p := range pages {
		byPath[p.path] = p
	}
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(strings.Join(p.prose(), "\n"), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := p.path
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), file))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", p.path, m[1])
			} else if anchor != "" && !byPath[target].headings()[anchor] {
				t.Errorf("%s links to %s: no such heading", p.path, m[1])
			}
		}
	}
}

// TestNoOutsidePath: nothing in a document needs a place on the author's machine.
func TestNoOutsidePath(t *testing.T) {
	outside := regexp.MustCompile(`(^|[\s("'=])/(work|root|home/[a-z])[/\s]`)
	for _, p := range readPages(t) {
		for i, line := range p.lines {
			if outside.MatchString(line) {
				t.Errorf("%s:%d names a path of one machine: %s", p.path, i+1, line)
			}
		}
	}
}
