using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Hosting.Cli.Tests;

public sealed class LogsTests
{
    private const string Lines = """
        [{"container":"shop-a1","at":"2026-01-02T11:59:00.1234567+00:00","stream":"stdout","text":"hello\tyou"},
         {"container":"shop-b2","at":"2026-01-02T11:59:01+00:00","stream":"stderr","text":"\u001b[31mred\u001b[0m \u0007bell"}]
        """;

    [Fact]
    public async Task Lines_are_plain_in_a_pipe_each_after_its_container()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps/shop/logs?tail=5&since=10m&container=shop-a1", 200, Lines);
        var run = await Run.Command(api, "logs", "shop", "--tail", "5", "--since", "10m", "--container", "shop-a1");
        Assert.Equal("shop-a1  hello\tyou\nshop-b2  red  bell\n", run.Out);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    [Fact]
    public async Task A_terminal_gets_a_colour_for_each_container_and_nothing_from_the_lines()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps/shop/logs", 200, Lines);
        var run = await Run.Command(new Surroundings { Address = api.Address, Rich = true }, "logs", "shop", "-t");
        Assert.Equal(
            "\u001b[36mshop-a1\u001b[0m  2026-01-02T11:59:00.123Z hello\tyou\n\u001b[33mshop-b2\u001b[0m  2026-01-02T11:59:01.000Z red  bell\n", run.Out);
    }

    [Fact]
    public async Task Json_is_a_line_for_each_line()
    {
        await using var api = (await FakeApi.Start()).On("GET /v1/apps/shop/logs", 200, Lines, ("Hosting-Incomplete", "shop-c3: its agent is not connected"));
        var run = await Run.Command(api, "logs", "shop", "-o", "json");
        Assert.Equal(Lines.Trim('[', ']', '\n', ' ').Replace(",\n ", "\n", StringComparison.Ordinal) + "\n", run.Out);
        Assert.Equal("note: shop-c3: its agent is not connected\n", run.Error);
    }

    [Fact]
    public async Task Followed_logs_go_on_after_an_interruption_with_the_last_id_until_the_stream_says_it_is_over()
    {
        var streams = 0;
        await using var api = await FakeApi.Start();
        api.On("GET /v1/apps/shop/logs?follow=true", async http =>
        {
            streams++;
            if (streams == 2)
            {
                http.Response.StatusCode = 502;
                return;
            }
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync($$"""
                event: note
                data: {"message":"about {{streams}}"}

                id: a1.{{streams}}.1
                data: {"container":"shop-a1","at":"2026-01-02T11:59:00Z","stream":"stdout","text":"line {{streams}}"}


                """);
            if (streams > 2) await http.Response.WriteAsync("event: end\ndata: {\"message\":\"app shop is gone\"}\n\n");
        });
        var run = await Run.Command(api, "logs", "shop", "-f");
        Assert.Equal("shop-a1  line 1\nshop-a1  line 3\n", run.Out);
        Assert.Equal("note: about 1\nnote: the stream was interrupted; it is taken up again.\nnote: about 3\nnote: app shop is gone\n", run.Error);
        Assert.Equal([null, "a1.1.1", "a1.1.1"], api.Requests.Select(r => r.LastEventId));
        Assert.Equal(0, run.Code);
    }

    [Fact]
    public async Task Bad_input_is_the_apis_refusal_and_wrong_usage()
    {
        await using var api = (await FakeApi.Start())
            .On("GET /v1/apps/shop/logs?since=soon", 400, Canned.Problem(400, "The request is not valid", "since: must be a time.", """{"since":["must be a time."]}"""));
        var run = await Run.Command(api, "logs", "shop", "--since", "soon");
        Assert.Equal((2, "error: The request is not valid\n  since: must be a time.\n"), (run.Code, run.Error));
        Assert.Equal(2, (await Run.Command(api, "logs", "shop", "--tail", "many")).Code);
        Assert.Equal(2, (await Run.Command(api, "logs")).Code);
    }

    [Fact]
    public async Task Ctrl_C_ends_following_with_success()
    {
        var opened = new TaskCompletionSource();
        await using var api = await FakeApi.Start();
        api.On("GET /v1/apps/shop/logs?follow=true", async http =>
        {
            http.Response.ContentType = "text/event-stream";
            await http.Response.WriteAsync("id: a1.1.1\ndata: {\"container\":\"shop-a1\",\"at\":\"2026-01-02T11:59:00Z\",\"stream\":\"stdout\",\"text\":\"one\"}\n\n");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            opened.TrySetResult();
        });
        using var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, "logs", "shop", "-f", "--api", api.Address])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("shop-a1  one", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        await opened.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }
}
