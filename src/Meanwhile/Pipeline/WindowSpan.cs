namespace Meanwhile.Pipeline;

/// <summary>The length of a window, and the name that results give it.</summary>
/// <param name="Milliseconds">A whole number of seconds.</param>
internal readonly record struct WindowSpan(long Milliseconds)
{
    /// <summary>1, 5 and 30 minutes.</summary>
    public static IReadOnlyList<WindowSpan> Defaults { get; } = [new(60_000), new(300_000), new(1_800_000)];

    /// <summary>The largest unit that divides it: <c>1min</c>, <c>90s</c>, <c>2h</c>.</summary>
    public string Name => Milliseconds switch
    {
        _ when Milliseconds % 86_400_000 == 0 => $"{Milliseconds / 86_400_000}d",
        _ when Milliseconds % 3_600_000 == 0 => $"{Milliseconds / 3_600_000}h",
        _ when Milliseconds % 60_000 == 0 => $"{Milliseconds / 60_000}min",
        _ => $"{Milliseconds / 1000}s",
    };

    /// <summary>Reads a list such as <c>60s,5min,2h</c>.</summary>
    /// <exception cref="FormatException">One of them is no whole number of seconds from 1 s to 7 d, or stands there twice.</exception>
    public static IReadOnlyList<WindowSpan> ParseList(string text)
    {
        const string Expected = "different spans from 1s to 7d, such as 60s,5min,2h";
        List<WindowSpan> spans = [];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var span = Duration.TryParse(part, out var duration) ? new WindowSpan((long)duration.TotalMilliseconds) : default;
            if (span.Milliseconds is < 1000 or > 7 * 86_400_000L || span.Milliseconds % 1000 != 0 || spans.Contains(span))
                throw new FormatException(Expected);
            spans.Add(span);
        }
        return spans;
    }
}
