namespace Meanwhile.Mqtt.Bench;

/// <summary>What connections cost on which nothing happens: memory, and perhaps the rate of the others.</summary>
internal static class Idle
{
    private const int Connections = 10_000;
    private const int BufferSize = 4096;

    /// <summary>Prints the memory, and the rates with and without them.</summary>
    public static async Task RunAsync(string program, TimeSpan duration, int rounds)
    {
        using var folder = new Folder();
        using var quiet = await Broker.OursAsync(program, folder.Path);
        using var crowded = await Broker.OursAsync(program, folder.Path);
        var before = crowded.Process.ResidentBytes >> 20;
        List<Peer> idle = [.. Enumerable.Range(0, Connections).Select(i => new Peer(crowded.Port, $"idle{i}", BufferSize))];
        Console.WriteLine($"{Connections:N0} connections: {crowded.Process.ResidentBytes >> 20} MiB, {before} MiB before them");
        var report = new Report();
        for (var round = 0; round < rounds; round++)
        {
            report.Add("alone", await PassThrough.MeasureAsync(quiet, 1, duration));
            report.Add("beside idle connections", await PassThrough.MeasureAsync(crowded, 1, duration));
        }
        report.Print("publisher to subscriber, QoS 1", "alone");
        Console.WriteLine($"then: {crowded.Process.ResidentBytes >> 20} MiB");
        idle.ForEach(peer => peer.Dispose());
    }
}
