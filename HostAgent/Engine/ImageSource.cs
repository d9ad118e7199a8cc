using System.Collections.Concurrent;
using Docker.DotNet;
using Docker.DotNet.Models;
using Hosting.HostAgent.Configuration;

namespace Hosting.HostAgent.Engine;

/// <summary>Gets an image into an engine: from an archive on this server, else from its registry. One fetch an image and engine at a time.</summary>
internal sealed class ImageSource(ImageArchives archives, IReadOnlyDictionary<string, RegistryCredentials> registries)
{
    private static readonly TimeSpan SilenceDeadline = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<(ContainerEngine, string), Task<EngineResult>> _fetches = new();

    /// <summary>Fetches it, or joins a fetch that is under way.</summary>
    public async Task<EngineResult> FetchAsync(ContainerEngine engine, string image, CancellationToken cancellation)
    {
        var mine = new TaskCompletionSource<EngineResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var fetch = _fetches.GetOrAdd((engine, image), mine.Task);
        if (fetch != mine.Task)
            return await fetch.WaitAsync(cancellation);
        try
        {
            mine.SetResult(await FetchOnceAsync(engine, image, cancellation));
        }
        catch (Exception error)
        {
            mine.SetResult(new EngineResult(EngineOutcome.Refused, error.Message));
        }
        finally
        {
            _fetches.TryRemove((engine, image), out _);
        }

        return await mine.Task;
    }

    private async Task<EngineResult> FetchOnceAsync(ContainerEngine engine, string image, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var progress = new Progress(deadline);
        try
        {
            if (archives.Find(image) is { } archive)
                await LoadAsync(engine, archive, progress, deadline.Token);
            else
                await PullAsync(engine, ImageReference.Parse(image), progress, deadline.Token);
            return progress.Error is null ? EngineResult.Done : Failed(image, progress.Error);
        }
        catch (DockerApiException error)
        {
            return Failed(image, EngineErrors.Read(error).Reason!);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return Failed(image, deadline.IsCancellationRequested ? $"nothing came for {SilenceDeadline.TotalSeconds:0} s" : error.Message);
        }
    }

    private static async Task LoadAsync(ContainerEngine engine, string archive, Progress progress, CancellationToken cancellation)
    {
        await using var stream = File.OpenRead(archive);
        await engine.Images.LoadImageAsync(new ImageLoadParameters { Quiet = true }, stream, progress, cancellation);
    }

    private Task PullAsync(ContainerEngine engine, ImageReference image, Progress progress, CancellationToken cancellation)
    {
        var credentials = registries.TryGetValue(image.Registry, out var found)
            ? new AuthConfig { Username = found.Username, Password = found.Password, ServerAddress = image.Registry } : null;
        var parameters = new ImagesCreateParameters { FromImage = $"{image.Registry}/{image.Repository}", Tag = image.Tag };
        return engine.Images.CreateImageAsync(parameters, credentials, progress, cancellation);
    }

    private static EngineResult Failed(string image, string reason) =>
        new(EngineOutcome.Refused, EngineErrors.Shorten($"image {image} cannot be had: {reason}"));

    /// <summary>An engine says in its progress, not in its answer, that it failed; and as long as there is progress there is time.</summary>
    private sealed class Progress : IProgress<JSONMessage>
    {
        private readonly CancellationTokenSource _deadline;

        public Progress(CancellationTokenSource deadline)
        {
            _deadline = deadline;
            _deadline.CancelAfter(SilenceDeadline);
        }

        public string? Error { get; private set; }

        public void Report(JSONMessage value)
        {
            Error = value.Error?.Message ?? value.ErrorMessage ?? Error;
            _deadline.CancelAfter(SilenceDeadline);
        }
    }
}
