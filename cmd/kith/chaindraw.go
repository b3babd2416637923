package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "kith/proto/kith/v1"
)

// Bounds of the drawn chain.
const (
	drawWidth = 100 // columns
	drawLanes = 12  // what lies further out is drawn in the last of them
)

// A chart draws the blocks of a group from genesis downwards:
//
//	●  0  2026-11-22 14:00  Ann made the group “Choir”. [5f2c9a01]
//	├─╮   The group was split ...
//	● │  1  ...  Ann removed Ben.
//	│ ○  1  ...  Ben removed Ann.
//	│       Undone. Ann removed Ben and ...
//	◐  2  ...    which can still be undone
type chart struct {
	lines []string
	lanes int    // how many there are
	open  []bool // lanes whose line goes on below
	room  int    // columns of the largest height

	runs map[string]int // by the hash of the last: how many renames in a row one line stands for
}

// drawChain returns the lines of the drawing, none wider than drawWidth.
func drawChain(blocks []*v1.Block) []string {
	blocks = slices.Clone(blocks)
	slices.SortStableFunc(blocks, func(a, b *v1.Block) int {
		return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.Lane, b.Lane))
	})
	c := &chart{runs: make(map[string]int)}
	blocks = c.foldRenames(blocks)
	by := make(map[string]*v1.Block)
	goesOn := make(map[string]bool) // blocks with a child in their own lane
	var settled *v1.Block           // the last one
	for _, b := range blocks {
		by[b.Hash] = b
		c.lanes = max(c.lanes, lane(b)+1)
		c.room = max(c.room, len(number(b.Height)))
		if p := by[b.Parent]; p != nil && lane(p) == lane(b) {
			goesOn[p.Hash] = true
		}
		if b.Settled {
			settled = b
		}
	}
	c.open = make([]bool, c.lanes)
	for i, b := range blocks {
		if i > 0 && blocks[i-1].Height < b.Height {
			c.part(blocks[i:], by)
		}
		c.block(b, by, goesOn[b.Hash])
		if b == settled && b.Height > 0 {
			c.write(c.bars(), strings.Repeat(" ", c.room+2), settledText(b))
		}
	}
	if signs := legend(blocks); signs != "● settled" {
		c.lines = append(c.lines, "", signs)
	}
	return c.lines
}

// sign is what a block is drawn as.
func sign(b *v1.Block) rune {
	switch {
	case !b.OnChain:
		return '○'
	case b.Settled:
		return '●'
	}
	return '◐'
}

// legend explains the signs that are drawn.
func legend(blocks []*v1.Block) string {
	var list []string
	for _, s := range []struct {
		sign rune
		text string
	}{{'●', "● settled"}, {'◐', "◐ on the chain, can still be undone"}, {'○', "○ undone"}} {
		if slices.ContainsFunc(blocks, func(b *v1.Block) bool { return sign(b) == s.sign }) {
			list = append(list, s.text)
		}
	}
	return strings.Join(list, "   ")
}

func lane(b *v1.Block) int { return min(int(b.Lane), drawLanes-1) }

// part draws where branches leave others, above the blocks of one height; rest
// begins with them.
func (c *chart) part(rest []*v1.Block, by map[string]*v1.Block) {
	var parents []*v1.Block
	starts := make(map[*v1.Block][]int)
	for _, b := range rest {
		if b.Height != rest[0].Height {
			break
		}
		if p := by[b.Parent]; p != nil && lane(p) < lane(b) {
			if starts[p] == nil {
				parents = append(parents, p)
			}
			starts[p] = append(starts[p], lane(b))
		}
	}
	for _, p := range parents {
		bars := []rune(c.bars())
		last := slices.Max(starts[p])
		for i := 2*lane(p) + 1; i < 2*last; i++ {
			if bars[i] = '─'; i%2 == 0 && c.open[i/2] {
				bars[i] = '┼'
			}
		}
		bars[2*lane(p)] = '├'
		for _, l := range starts[p] {
			if bars[2*l] = '┬'; l == last {
				bars[2*l] = '╮'
			}
			c.open[l] = true
		}
		c.write(string(bars), strings.Repeat(" ", c.room+2), splitText(p.Split))
	}
}

// block draws one block and what is to be said of it.
func (c *chart) block(b *v1.Block, by map[string]*v1.Block, goesOn bool) {
	c.open[lane(b)] = true
	bars := []rune(c.bars())
	bars[2*lane(b)] = sign(b)
	c.open[lane(b)] = goesOn
	c.write(string(bars), fmt.Sprintf("%*d  %s  ", c.room, b.Height, day(b.CreatedAt)), changesOf(b)+c.runText(b)+" ["+short(b.Hash)+"]")
	indent := strings.Repeat(" ", c.room+2)
	if !b.SignatureValid {
		c.write(c.bars(), indent, "SIGNATURE NOT VALID")
	}
	if text := openLine(b); text != "" {
		c.write(c.bars(), indent, text)
	}
	if len(b.Stuck) > 0 {
		c.write(c.bars(), indent, "Could not be followed by "+namesOf(b.Stuck)+".")
	}
	if b.Fate != v1.BlockFate_BLOCK_FATE_STANDS {
		c.write(c.bars(), indent, fateText(b)+" "+oneLine(b.Why))
	}
	if b.Contradiction != "" && slices.IndexFunc(b.Contradicts, func(h string) bool { return by[h] != nil && before(by[h], b) }) < 0 {
		c.write(c.bars(), indent, oneLine(b.Contradiction)) // once, at the first of them
	}
}

func before(a, b *v1.Block) bool {
	return a.Height < b.Height || a.Height == b.Height && a.Lane < b.Lane
}

// bars draws the lanes that go on.
func (c *chart) bars() string {
	bars := []rune(strings.Repeat(" ", 2*c.lanes))
	for l, open := range c.open {
		if open {
			bars[2*l] = '│'
		}
	}
	return string(bars)
}

// write puts a text behind the lanes and wraps it; what follows its first line
// is indented to where it begins.
func (c *chart) write(bars, lead, text string) {
	wide := columns(bars) + 1 + columns(lead)
	for _, line := range wrap(text, drawWidth-wide) {
		c.lines = append(c.lines, strings.TrimRight(bars+" "+lead+line, " "))
		bars, lead = c.bars(), strings.Repeat(" ", columns(lead))
	}
}

// wrap breaks a text into lines of at most wide columns, between words where
// there are any. There is always a line.
func wrap(text string, wide int) []string {
	lines, used := []string{""}, 0
	for word := range strings.FieldsSeq(text) {
		for i, piece := range pieces(word, wide) {
			switch n := columns(piece); {
			case used == 0:
				used = n
			case i > 0 || used+1+n > wide:
				lines, used = append(lines, ""), n
			default:
				piece, used = " "+piece, used+1+n
			}
			lines[len(lines)-1] += piece
		}
	}
	return lines
}

// pieces cuts a word that is longer than a line.
func pieces(word string, wide int) (list []string) {
	piece := ""
	for _, r := range word {
		if columns(piece+string(r)) > wide {
			list, piece = append(list, piece), ""
		}
		piece += string(r)
	}
	return append(list, piece)
}

// columns is how wide a terminal shows s: East Asian letters and most emoji
// take two columns, joined marks none.
func columns(s string) (n int) {
	for _, r := range s {
		switch {
		case r >= 0x300 && r < 0x370, r == 0x200c, r == 0x200d, r >= 0xfe00 && r < 0xfe10:
		case r >= 0x1100 && r < 0x1160, r >= 0x2e80 && r < 0xa4d0, r >= 0xac00 && r < 0xd7a4,
			r >= 0xf900 && r < 0xfb00, r >= 0xfe30 && r < 0xfe70, r >= 0xff00 && r < 0xff61, r >= 0x1f300 && r < 0x40000:
			n += 2
		default:
			n++
		}
	}
	return n
}

// fateText says what became of a block that lost.
func fateText(b *v1.Block) string {
	var heights []string
	for _, c := range b.Changes {
		if c.Again != "" && !slices.Contains(heights, number(c.AgainHeight)) {
			heights = append(heights, number(c.AgainHeight))
		}
	}
	switch {
	case len(heights) == 0:
		return "Undone."
	case b.Fate == v1.BlockFate_BLOCK_FATE_AGAIN:
		return "Undone, and done again in block " + strings.Join(heights, ", ") + "."
	}
	return "Undone, and in part done again in block " + strings.Join(heights, ", ") + "."
}

// splitText tells of a split and its healing in one sentence.
func splitText(s *v1.Split) string {
	if s == nil {
		return ""
	}
	from, to := day(s.From), day(s.To)
	text := "The group was split at " + from
	if from != to {
		if sameDay(s.From, s.To) {
			to = time.UnixMilli(int64(s.To)).Format("15:04")
		}
		text = "The group was split from " + from + " to " + to
	}
	text += " and is whole again; "
	switch {
	case s.Undone == 0:
		return text + "no change was undone."
	case s.Again == 0:
		return text + count(int(s.Undone), "change was", "changes were") + " undone."
	}
	return text + fmt.Sprintf("%s undone, %s done again.", count(int(s.Undone), "change was", "changes were"), count(int(s.Again), "was", "were"))
}

func sameDay(a, b uint64) bool { return day(a)[:10] == day(b)[:10] }

// openLine says who has voted for a block that can still be undone, and who has
// not. Where nobody has, nothing is said of each block.
func openLine(b *v1.Block) string {
	switch {
	case len(b.VotedBy) == 0:
		return ""
	case len(b.WaitsFor) == 0:
		return "All have voted for it; it waits for one more round."
	}
	return capital(namesOf(b.VotedBy)) + " voted for it, not yet " + namesOf(b.WaitsFor) + "."
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// settledText stands below the last block that can no longer be undone.
func settledText(b *v1.Block) string {
	if len(b.SettledBy) == 0 {
		return "Settled up to here: it can no longer be undone."
	}
	return "Settled up to here by " + namesOf(b.SettledBy) + " in round " + number(b.SettleRound) + ": it can no longer be undone."
}
