using System.Globalization;

namespace Meanwhile.Mqtt.Broker;

/// <summary>How many files this process may have open, connections included. Without any left nobody can be accepted, nothing can be stored, and the runtime may end the process.</summary>
internal static class OpenFiles
{
    private const string Limits = "/proc/self/limits";
    private const string Name = "Max open files";

    // For everything that is no connection of ours, and for those that the system has accepted and nobody has looked at yet.
    private const int Others = 400;

    /// <summary>How many connections there may be by that: at least half of the files. Where the system cannot be asked, any number.</summary>
    public static int MostConnections { get; } = Connections(File.Exists(Limits) ? File.ReadAllLines(Limits) : []);

    /// <summary>The same, by what Linux says of the limits of a process.</summary>
    internal static int Connections(IEnumerable<string> limits)
    {
        var soft = limits.FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(soft, CultureInfo.InvariantCulture, out var most) ? most - Math.Min(Others, most / 2) : int.MaxValue; // It may be "unlimited".
    }
}
