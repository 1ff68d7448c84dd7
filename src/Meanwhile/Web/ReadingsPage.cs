using System.Globalization;
using Meanwhile.Stores;

namespace Meanwhile.Web;

/// <summary>Some of the readings: up to so many, from a position on.</summary>
internal sealed class ReadingsPage(Func<string, bool> wanted, int limit, Position after)
{
    /// <summary>Where it begins.</summary>
    public Position After => after;

    /// <summary>Takes what belongs to it.</summary>
    /// <param name="readings">In the order of their times, from that of the position on.</param>
    /// <param name="take">Takes one; false when the page is full with it.</param>
    /// <returns>Where the next page begins; null when there is none.</returns>
    public Position? Take(IEnumerable<Reading> readings, Func<Reading, bool> take)
    {
        var (here, count, isFull) = (new Position(long.MinValue, 0), 0, false);
        foreach (var reading in readings)
        {
            if (reading.Time != here.Time)
                here = new Position(reading.Time, 0);
            var isBefore = here.Time == after.Time && here.Passed < after.Passed;
            if (!isBefore && wanted(reading.Series))
            {
                if (count++ == limit || isFull)
                    return here;
                isFull = !take(reading);
            }
            here = here with { Passed = here.Passed + 1 };
        }
        return null;
    }
}

/// <summary>A place among readings. Those that come late, or leave with the retention, do not move it: of one time the newest come last, and all leave at once.</summary>
/// <param name="Time">Milliseconds since the Unix epoch.</param>
/// <param name="Passed">How many readings of that time are before it, of whatever series.</param>
internal readonly record struct Position(long Time, long Passed)
{
    /// <summary>The one that a request names, or the beginning.</summary>
    /// <exception cref="ProblemException">It is none.</exception>
    public static Position Read(Parameters parameters)
    {
        if (parameters.Text("after") is not { } text)
            return default;
        return text.Split('-') is [var time, var passed] && TryParse(time, out var milliseconds) && TryParse(passed, out var count)
            ? new Position(milliseconds, count)
            : throw ProblemException.BadParameter("after", "the next of an answer before, as it stands there");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time}-{Passed}");

    private static bool TryParse(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
