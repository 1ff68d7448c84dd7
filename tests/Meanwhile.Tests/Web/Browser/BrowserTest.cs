using System.Collections.Concurrent;
using Meanwhile.Tests.Support;
using Microsoft.Playwright;

namespace Meanwhile.Tests.Web.Browser;

/// <summary>A test that looks at the dashboard in a real browser. Whatever it is about: nothing fails on the page, and no other host is asked.</summary>
public abstract class BrowserTest(BrowserFixture browser) : HttpTest, IClassFixture<BrowserFixture>
{
    private readonly ConcurrentQueue<string> _requests = [];
    private readonly ConcurrentQueue<string> _errors = [];

    private protected IPage Page { get; private set; } = null!;

    /// <summary>Opens the dashboard.</summary>
    private protected async Task OpenAsync(Uri http, int width = 1440, int height = 900, ColorScheme colours = ColorScheme.Light)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = colours,
        });
        context.SetDefaultTimeout(60_000);
        Page = await context.NewPageAsync();
        Page.Request += (_, request) => _requests.Enqueue(request.Url);
        Page.PageError += (_, error) => _errors.Enqueue(error);
        Page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) // A server that is away, or wants a token.
                _errors.Enqueue(message.Text);
        };
        Page.Dialog += (_, dialog) => _errors.Enqueue($"a dialog opens: {dialog.Message}");
        await Page.GotoAsync(http.ToString());
    }

    /// <summary>Opens the dashboard, and waits until it shows what changes.</summary>
    private protected async Task OpenLiveAsync(Uri http, int width = 1440, int height = 900, ColorScheme colours = ColorScheme.Light)
    {
        await OpenAsync(http, width, height, colours);
        await StateAsync("live");
    }

    private protected Task StateAsync(string state) => Page.WaitForFunctionAsync("state => document.documentElement.dataset.state === state", state);

    private protected Task TextAsync(string selector, string text) =>
        Page.WaitForFunctionAsync("([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", new[] { selector, text });

    /// <summary>The row of a series, which has to be in sight.</summary>
    private protected ILocator Row(string topic) => Page.Locator("#grid .rows .tr:not([hidden])").Filter(new LocatorFilterOptions { HasText = topic });

    /// <summary>What the cells of a row say, to the last digit.</summary>
    private protected static Task<string[]> ExactAsync(ILocator row) => row.EvaluateAsync<string[]>("row => row.cells.map(cell => cell.exact)");

    /// <summary>To be called at the end of each test.</summary>
    private protected async Task CloseAsync(Uri http)
    {
        Assert.Empty(_errors);
        Assert.All(_requests, request => Assert.Equal(http.Authority, new Uri(request).Authority));
        await Page.Context.DisposeAsync();
    }
}
