using System.Globalization;

namespace Meanwhile.Clients;

/// <summary>When the publisher sends: at random intervals, or so many a second.</summary>
/// <param name="Shortest">Seconds.</param>
/// <param name="Longest">Seconds.</param>
internal sealed record Pace(double Shortest, double Longest)
{
    /// <summary>The seed's: 1 to 30 seconds.</summary>
    public static Pace Default { get; } = new(1, 30);

    /// <summary>Reads an interval such as <c>0.5-2</c> or <c>1</c>, in seconds.</summary>
    public static Pace ParseInterval(string text)
    {
        const string Expected = "seconds, or a range of them such as 0.5-2";
        var parts = text.Split('-', 2);
        var (shortest, longest) = (ParseNumber(parts[0], Expected), ParseNumber(parts[^1], Expected));
        return shortest <= longest && longest <= 86_400 ? new Pace(shortest, longest) : throw new FormatException(Expected);
    }

    /// <summary>Reads a rate such as <c>100</c>, messages a second.</summary>
    public static Pace ParseRate(string text)
    {
        const string Expected = "messages a second, more than 0 and at most 1000000";
        var rate = ParseNumber(text, Expected);
        return rate is > 0 and <= 1_000_000 ? new Pace(1 / rate, 1 / rate) : throw new FormatException(Expected);
    }

    /// <summary>The wait before the next message.</summary>
    public TimeSpan Next(Random random) => TimeSpan.FromSeconds(Shortest + (random.NextDouble() * (Longest - Shortest)));

    private static double ParseNumber(string text, string expected) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException(expected);
}
