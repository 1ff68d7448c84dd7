using System.CommandLine;
using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Terminal;

namespace Meanwhile.Verbs;

/// <summary>Writes the readings of a store to a file.</summary>
internal static class ExportVerb
{
    private static readonly Argument<string?> Path = DataFile.Argument("where they go, replaced if it is there; - for standard output [default: standard output]");

    public static Command Command()
    {
        var command = VerbContext.Command(
            "export",
            "write all readings as JSON Lines or CSV; also while an aggregator runs",
            [CommonSettings.DbFile.Option, CommonSettings.UnnamedTopic.Option, DataFile.Format.Option],
            RunAsync);
        command.Arguments.Add(Path);
        return command;
    }

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var path = DataFile.PathOf(context, Path);
        var format = DataFile.FormatOf(context, path);
        var now = context.Time.GetUtcNow().ToUnixTimeMilliseconds();
        using var store = context.OpenForReading(context.Read(CommonSettings.UnnamedTopic)!);
        var count = 0L;
        await ProgressBar.ShowAsync("exporting", progress => DataFile.WriteAsync(context, path, output =>
        {
            var table = new TableWriter(output, format);
            table.WriteNames("topic", "number", "epochtime");
            long? first = null;
            foreach (var reading in store.ReadReadings(0, long.MaxValue))
            {
                stop.ThrowIfCancellationRequested();
                table.Write(reading);
                first ??= reading.Time;
                if (++count % 1000 == 0) // They come in the order of their times.
                    progress.Report(new((reading.Time - first.Value + 1.0) / Math.Max(now - first.Value, 1), $"exporting: {count} readings"));
            }
            table.Flush();
            return Task.CompletedTask;
        }));
        Log.Exported(context.Logger, count);
    }
}
