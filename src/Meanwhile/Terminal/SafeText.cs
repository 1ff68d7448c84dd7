using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Meanwhile.Terminal;

/// <summary>Strangers' texts, made fit for a terminal: they neither steer it nor break the layout.</summary>
internal static class SafeText
{
    // More of them on one letter reach into the lines above and below.
    private const int MostMarks = 2;

    /// <summary>Replaces by U+FFFD whatever steers a terminal, changes the direction of writing, or has no agreed shape or width.</summary>
    public static string Of(string text)
    {
        if (text.All(c => c is >= ' ' and <= '~'))
            return text;
        var safe = new StringBuilder(text.Length);
        var marks = MostMarks; // None at the beginning: it would join what stands before the text.
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsVariationSelector(rune))
                continue; // With it, terminals disagree about the width.
            marks = IsMark(rune) ? marks + 1 : 0;
            safe.Append(marks > MostMarks || !HasShape(rune) ? Rune.ReplacementChar : rune);
        }
        return safe.ToString();
    }

    /// <summary>Cuts a safe text to a width in cells, with an ellipsis where something is missing.</summary>
    public static string Cut(string text, int cells)
    {
        if (text.Length <= cells / 2 || text.GetCellWidth() <= cells) // No character is wider than two cells.
            return text;
        var (cut, width) = (new StringBuilder(), 0);
        foreach (var rune in text.EnumerateRunes())
        {
            width += rune.ToString().GetCellWidth();
            if (width > cells - 1)
                break;
            cut.Append(rune);
        }
        return cells <= 0 ? "" : cut.Append('…').ToString();
    }

    private static bool HasShape(Rune rune) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned);

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    private static bool IsVariationSelector(Rune rune) => rune.Value is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);
}
