using System.CommandLine;
using Meanwhile.History;
using Meanwhile.Logging;
using Meanwhile.Settings;
using Meanwhile.Terminal;

namespace Meanwhile.Verbs;

/// <summary>Brings the readings of a file into a store.</summary>
internal static class ImportVerb
{
    private const int MostNamed = 20;

    private static readonly Argument<string?> Path = DataFile.Argument("where they are; - for standard input [default: standard input]");

    public static Command Command()
    {
        var command = VerbContext.Command(
            "import",
            "bring readings, as export writes them, into a store that no aggregator is using; what is there already is left out",
            [
                CommonSettings.DbFile.Option, DataFile.Format.Option, AggregatorSettings.Windows.Option, AggregatorSettings.MaxAhead.Option, AggregatorSettings.Series.Option,
            ],
            RunAsync);
        command.Arguments.Add(Path);
        return command;
    }

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var path = DataFile.PathOf(context, Path);
        var format = DataFile.ChosenFormat(context, path);
        var options = AggregatorSettings.Read(context.CommandLine, context.Sources);
        var now = context.Time.GetUtcNow();
        await using var input = DataFile.OpenRead(path, out var length);
        using var store = await context.OpenStoreAsync(options.Filter, stop);
        var import = new Import(store, (now - options.Retention).ToUnixTimeMilliseconds(), (now + options.MaxAhead).ToUnixTimeMilliseconds(), options.MostSeries);
        try
        {
            await ProgressBar.ShowAsync("importing", progress =>
            {
                var bytes = new Bytes(progress, import.Report, length);
                return import.RunAsync(new RecordReader(input, path ?? DataFile.StandardInput), format, Reject, bytes, stop);
            });
        }
        finally
        {
            Log.Imported(context.Logger, import.Report);
        }
        if (import.Report.NotUnderstood > 0)
            throw new UserException($"{path ?? DataFile.StandardInput}: {import.Report.NotUnderstood} lines are no readings; the others are imported, and importing the mended file adds only what is missing");

        if (import.Report.Refused > 0)
            throw new UserException($"{path ?? DataFile.StandardInput}: {import.Report.Refused} readings belong to new series, and there are already {options.MostSeries} series (--max-series); the others are imported, and importing the file again with a higher limit adds only what is missing");

        void Reject(long line, string reason)
        {
            if (import.Report.NotUnderstood <= MostNamed)
                Log.NotUnderstood(context.Logger, line, reason);
            if (import.Report.NotUnderstood == MostNamed)
                Log.MoreNotUnderstood(context.Logger);
        }
    }

    private sealed class Bytes(IProgress<WorkProgress> progress, ImportReport report, long? length) : IProgress<long>
    {
        public void Report(long value) =>
            progress.Report(new(length is { } all ? (double)value / Math.Max(all, 1) : 0, $"importing: {report.Imported} readings"));
    }
}
