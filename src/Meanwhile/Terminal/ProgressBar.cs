using Spectre.Console;

namespace Meanwhile.Terminal;

/// <summary>How far long work is.</summary>
/// <param name="Fraction">From 0 to 1.</param>
/// <param name="Text">What is going on; short.</param>
internal readonly record struct WorkProgress(double Fraction, string Text);

/// <summary>Shows how far long work is while it runs: on standard error, and only on a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Shows it, and does the work.</summary>
    /// <param name="say">Without a terminal, takes each text as a line, with its end.</param>
    public static async Task ShowAsync(string text, Func<IProgress<WorkProgress>, Task> work, Action<string>? say = null)
    {
        if (Console.IsErrorRedirected)
        {
            await work(new Bar(null, say));
            return;
        }
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await terminal.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => work(new Bar(context.AddTask(Markup.Escape(text), maxValue: 1), say: null)));
    }

    // Unlike System.Progress, in the caller's own thread: nothing arrives late or out of order.
    private sealed class Bar(ProgressTask? task, Action<string>? say) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            say?.Invoke($"{value.Text}\n");
            if (task is null)
                return;
            task.Value = value.Fraction;
            if (value.Text.Length > 0)
                task.Description = Markup.Escape(value.Text);
        }
    }
}
