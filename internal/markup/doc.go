// Package markup reads what stands in a text: the small subset of Markdown that
// people write by hand, links, and mentions of people (docs/spec/content.md, "In a
// text"). It reads what others wrote: every text has exactly one reading, none is
// refused, and the time it takes grows with its length alone.
package markup
