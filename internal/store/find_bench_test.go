//go:build unix

package store_test

import (
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// smallHistory is how many messages BenchmarkSearch makes where no folder is given
// with -big, which has a million.
const smallHistory = 50_000

// language makes sentences: 60,000 words that are as frequent as words of a language
// are, the n-th most frequent about 1/n.
type language struct {
	words []string
	upTo  []float64
}

func newLanguage() *language {
	rng := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ka to ri men sal ver ing be o lu den shi pra qu ex a tion er ly un fo gra mi st")
	l, known := &language{}, make(map[string]bool)
	sum := 0.0
	for len(l.words) < 60_000 {
		var b strings.Builder
		for range 1 + rng.IntN(2) + min(len(l.words)/200, 1)*rng.IntN(3) {
			b.WriteString(syllables[rng.IntN(len(syllables))])
		}
		if !known[b.String()] {
			known[b.String()] = true
			l.words = append(l.words, b.String())
			sum += 1 / math.Pow(float64(len(l.words)+1), 1.05)
			l.upTo = append(l.upTo, sum)
		}
	}
	return l
}

func (l *language) word(rng *rand.Rand) string {
	i, _ := slices.BinarySearch(l.upTo, rng.Float64()*l.upTo[len(l.upTo)-1])
	return l.words[min(i, len(l.words)-1)]
}

// sentence has 3 to 33 words, about 115 characters.
func (l *language) sentence(rng *rand.Rand) string {
	all := make([]string, 3+rng.IntN(30))
	for i := range all {
		all[i] = l.word(rng)
	}
	return strings.Join(all, " ")
}

// history opens a home of n messages in 50 chats, of which one has half, by 20 people over two
// years, which it makes if it is not there. It reports what the index takes.
func history(b *testing.B, l *language, n int) (db *store.DB, indexBytes int64, perRow time.Duration) {
	dir := b.TempDir()
	if *big != "" {
		dir, n = filepath.Join(*big, "search"), bigRows
	}
	key, err := store.OpenKeyFile(filepath.Join(dir, "key"))
	must(b, err)
	cfg := store.Config{Path: filepath.Join(dir, store.FileName), Key: key}
	if _, err := os.Stat(cfg.Path); err == nil {
		return open(b, cfg), 0, 0
	} else if !errors.Is(err, fs.ErrNotExist) {
		b.Fatal(err)
	}
	undo := store.NoIndex()
	db = open(b, cfg)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := 0; i < n; {
		var batch []store.Batch
		for range 500 {
			who, chat := byte(rng.UintN(20)), byte(max(0, rng.IntN(100)-50))
			r := writes(wire.PersonID{who}, 1_700_000_000_000+uint64(i)*63_000, who, l.sentence(rng))
			r.Place.Seq = uint64(i + 1)
			r.ID, r.Commit = wire.ContentID{byte(i), byte(i >> 8), byte(i >> 16), 1}, wire.Digest{byte(i)}
			batch = append(batch, store.Batch{Group: wire.GroupID{100, chat}, Rows: []group.Row{r}})
			i++
		}
		must(b, db.CommitMany(batch))
	}
	must(b, db.Close())
	before := sizeOf(b, cfg.Path)
	undo()
	db = open(b, cfg)
	began := processTime(b)
	_, err = db.Search(store.Asked{}) // what waits is indexed first
	must(b, err)
	perRow = (processTime(b) - began) / time.Duration(n)
	must(b, db.Close())
	return open(b, cfg), sizeOf(b, cfg.Path) - before, perRow
}

func sizeOf(b *testing.B, path string) int64 {
	fi, err := os.Stat(path)
	must(b, err)
	return fi.Size()
}

// BenchmarkSearch looks for the first 20 of what people look for.
func BenchmarkSearch(b *testing.B) {
	l := newLanguage()
	db, size, perRow := history(b, l, smallHistory)
	if size > 0 {
		count := smallHistory
		if *big != "" {
			count = bigRows
		}
		b.Logf("index of %d messages: %d bytes and %v of processor time each", count, size/int64(count), perRow)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	frequent := func() string { return l.words[rng.IntN(30)] }
	rare := func() string { return l.words[20_000+rng.IntN(40_000)] }
	one := &wire.GroupID{100, 7}
	for _, c := range []struct {
		name string
		make func() store.Asked
	}{
		{"frequent", func() store.Asked { return store.Asked{Query: query(b, frequent()+" ")} }},
		{"rare", func() store.Asked { return store.Asked{Query: query(b, rare()+" ")} }},
		{"nowhere", func() store.Asked { return store.Asked{Query: query(b, rare()+"xyz ")} }},
		{"two-frequent", func() store.Asked { return store.Asked{Query: query(b, frequent()+" "+frequent()+" ")} }},
		{"three-words", func() store.Asked {
			return store.Asked{Query: query(b, l.word(rng)+" "+l.word(rng)+" "+l.word(rng)+" ")}
		}},
		{"phrase", func() store.Asked { return store.Asked{Query: query(b, `"`+l.word(rng)+" "+l.word(rng)+`"`)} }},
		{"one-letter", func() store.Asked { return store.Asked{Query: query(b, rare()[:1])} }},
		{"two-letters", func() store.Asked { return store.Asked{Query: query(b, rare()[:2])} }},
		{"four-letters", func() store.Asked { return store.Asked{Query: query(b, rare()[:4])} }},
		{"rare-and-two-letters", func() store.Asked { return store.Asked{Query: query(b, rare()+" "+rare()[:2])} }},
		{"frequent-and-two-letters", func() store.Asked { return store.Asked{Query: query(b, frequent()+" "+rare()[:2])} }},
		{"rare-in-a-chat", func() store.Asked { return store.Asked{Query: query(b, rare()+" "), Group: one} }},
		{"frequent-in-a-chat", func() store.Asked { return store.Asked{Query: query(b, frequent()+" "), Group: one} }},
		{"three-letters-in-a-chat", func() store.Asked { return store.Asked{Query: query(b, rare()[:3]), Group: one} }},
		{"person-in-a-chat", func() store.Asked {
			return store.Asked{Query: query(b, l.word(rng)+" "), Group: one, Person: &wire.PersonID{3}}
		}},
		{"a-week", func() store.Asked {
			since := 1_700_000_000_000 + rng.Uint64N(60_000_000_000)
			return store.Asked{Query: query(b, l.word(rng)+" "), Since: since, Until: since + 7*24*3600_000}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took, worked []time.Duration
			found, more := 0, 0
			for b.Loop() {
				a := c.make()
				a.Limit = 20
				began, idle := time.Now(), processTime(b)
				f, err := db.Search(a)
				took, worked = append(took, time.Since(began)), append(worked, processTime(b)-idle)
				must(b, err)
				if found += len(f.Found); f.Next != 0 && len(f.Found) < a.Limit {
					more++
				}
			}
			for name, list := range map[string][]time.Duration{"ms": took, "cpu-ms": worked} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "p50-"+name)
				b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "p99-"+name)
			}
			b.ReportMetric(float64(found)/float64(len(took)), "found")
			b.ReportMetric(float64(more), "unfinished")
		})
	}
}

// BenchmarkForget takes messages out of a large home, one for each commit.
func BenchmarkForget(b *testing.B) {
	l := newLanguage()
	db, _, _ := history(b, l, smallHistory)
	rng := rand.New(rand.NewPCG(3, 4))
	n := uint64(0)
	var took time.Duration
	for b.Loop() {
		n++
		who, chat := byte(rng.UintN(20)), byte(max(0, rng.IntN(100)-50))
		r := writes(wire.PersonID{who}, 1_700_000_000_000+(n-1)*63_000, who, l.sentence(rng))
		r.Place.Seq = n
		g := wire.GroupID{100, chat}
		stored, err := db.RowAt(g, r.Place)
		if err != nil || stored == nil {
			b.Fatal(stored, err)
		}
		began := processTime(b)
		must(b, db.Commit(g, nil, []group.Row{withdrawn(*stored)}, nil))
		took += processTime(b) - began
		b.StopTimer()
		must(b, db.Commit(g, nil, []group.Row{*stored}, nil))
		b.StartTimer()
	}
	b.ReportMetric(float64(took.Microseconds())/float64(n), "cpu-us/msg")
}
